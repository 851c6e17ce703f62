// Which rule fits a curve best? A network with one hidden layer learns sin(3x) from 64 points, once
// with each rule of the command line. The rules are compiled while the program runs; a mistake in
// one is shown with its place.
#include <cmath>
#include <cstdio>
#include <talweg/talweg.hpp>

namespace {

constexpr std::size_t kUnits = 24;
constexpr int kPoints = 64;
constexpr int kSteps = 3000;

/// y = sum of out * tanh(in * x + bias), and the gradients of its mean squared error.
struct Network {
  std::vector<float> in, bias, out, grad_in, grad_bias, grad_out;

  Network()
      : in(kUnits),
        bias(kUnits),
        out(kUnits),
        grad_in(kUnits),
        grad_bias(kUnits),
        grad_out(kUnits) {
    for (std::size_t i = 0; i < kUnits; ++i) {
      in[i] = 2.5f * std::sin(1.f + static_cast<float>(i));
      bias[i] = std::cos(7.f * static_cast<float>(i));
      out[i] = 0.3f * std::sin(3.f * static_cast<float>(i));
    }
  }

  /// The loss; leaves the gradients.
  float run() {
    for (auto* gradient : {&grad_in, &grad_bias, &grad_out}) gradient->assign(kUnits, 0.f);
    float loss = 0;
    for (int p = 0; p < kPoints; ++p) {
      const float x = -1.f + 2.f * static_cast<float>(p) / (kPoints - 1);
      float hidden[kUnits], y = 0;
      for (std::size_t i = 0; i < kUnits; ++i) {
        hidden[i] = std::tanh(in[i] * x + bias[i]);
        y += out[i] * hidden[i];
      }
      const float error = y - std::sin(3.f * x);
      loss += error * error / kPoints;
      for (std::size_t i = 0; i < kUnits; ++i) {
        const float behind = 2.f / kPoints * error * out[i] * (1.f - hidden[i] * hidden[i]);
        grad_in[i] += behind * x;
        grad_bias[i] += behind;
        grad_out[i] += 2.f / kPoints * error * hidden[i];
      }
    }
    return loss;
  }
};

void train(const std::string& expression) {
  const talweg::Rule rule = talweg::compile(expression);
  Network network;
  talweg::Optimizer optimizer(rule, {{"in", {kUnits}, network.in.data()},
                                     {"bias", {kUnits}, network.bias.data()},
                                     {"out", {kUnits}, network.out.data()}});
  const std::vector<const float*> gradients{network.grad_in.data(), network.grad_bias.data(),
                                            network.grad_out.data()};
  std::printf("%-34s", expression.c_str());
  for (int step = 0; step < kSteps; ++step) {
    const float loss = network.run();
    if (step % 1000 == 0) std::printf("  %10.3e", loss);
    // A rule such as SAM asks for the gradient at a second place, where it has put the parameters.
    while (optimizer.step(gradients) == talweg::Outcome::Regrad) network.run();
  }
  std::printf("  %10.3e", network.run());
  for (const talweg_part& part : rule.views()) {
    const talweg::View view =
        optimizer.swap_in(part.name);  // in the parameters' place, to the end of the scope
    std::printf("  %s %.3e", part.name, network.run());
  }
  std::printf("\n");
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> rules(arguments + 1, arguments + count);
  if (rules.empty())
    rules = {"SGD(lr = 0.05)", "AdamW(lr = 0.01)", "AdamW(lr = 0.01) | Ema(decay = 0.99)"};
  std::printf("%-34s  %10s  %10s  %10s  %10s\n", "loss after steps", "0", "1000", "2000", "3000");
  for (const std::string& rule : rules) {
    try {
      train(rule);
    } catch (const talweg::Error& error) {
      std::fprintf(stderr, "%s\n%s", error.what(), error.diagnostics().c_str());
      return 1;
    }
  }
  return 0;
}
