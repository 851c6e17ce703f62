// Networks, losses and test functions: gradients against differences, known values, extremes.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "runtime/train/initialise.h"
#include "runtime/train/losses.h"
#include "runtime/train/model_memory.h"
#include "runtime/train/network.h"
#include "runtime/train/network_objective.h"
#include "runtime/train/random.h"
#include "runtime/train/test_functions.h"

using namespace talweg;
using namespace talweg::train;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  NetworkSpec spec;
  std::uint32_t count;
};

Samples<double> random_samples(const Case& with) {
  RandomStream random(17, RandomPurpose::Data, 0);
  Samples<double> samples;
  samples.count = with.count;
  samples.inputs = with.spec.widths.front();
  const std::uint32_t outputs = with.spec.widths.back();
  for (std::uint32_t i = 0; i < with.count * samples.inputs; ++i)
    samples.features.push_back(random.normal());
  if (with.spec.loss == Loss::SoftmaxCrossEntropy) {
    for (std::uint32_t i = 0; i < with.count; ++i) samples.labels.push_back(random.below(outputs));
    return samples;
  }
  samples.outputs = outputs;
  for (std::uint32_t i = 0; i < with.count * outputs; ++i) {
    samples.targets.push_back(with.spec.loss == Loss::MeanSquared ? random.normal()
                                                                  : random.below(2));
  }
  return samples;
}

/// Every derivative against a central difference.
void check_gradient(const Case& with) {
  Network<double> network(with.spec);
  RandomStream random(23, RandomPurpose::Weights, 99);
  std::vector<std::vector<double>> gradients;
  std::vector<void*> pointers;
  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    for (double& value : network.values(i)) value = 0.6 * random.normal();
    gradients.emplace_back(network.values(i).size(), kInfinity);
    pointers.push_back(gradients.back().data());
  }
  const Samples<double> samples = random_samples(with);
  const double loss = network.loss_and_gradient(samples, pointers);
  CHECK(loss == network.loss(samples));
  constexpr double kStep = 1e-6;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    for (std::size_t k = 0; k < gradients[i].size(); ++k) {
      double& value = network.values(i)[k];
      const double kept = value;
      value = kept + kStep;
      const double above = network.loss(samples);
      value = kept - kStep;
      const double below = network.loss(samples);
      value = kept;
      CHECK(gradients[i][k] == Approx((above - below) / (2 * kStep)).margin(2e-8).epsilon(1e-5));
    }
  }
}

}  // namespace

TEST_CASE("gradients of every model and loss agree with differences") {
  for (const Loss loss : {Loss::MeanSquared, Loss::BinaryCrossEntropy, Loss::SoftmaxCrossEntropy}) {
    const std::uint32_t outputs = loss == Loss::SoftmaxCrossEntropy ? 3 : 2;
    check_gradient({{{4, outputs}, Activation::Relu, loss, 0}, 5});
    check_gradient({{{4, outputs}, Activation::Relu, loss, 0.3}, 1});
    for (const Activation activation : {Activation::Relu, Activation::Sigmoid, Activation::Tanh}) {
      check_gradient({{{4, 6, outputs}, activation, loss, 0}, 7});
      check_gradient({{{3, 5, 4, outputs}, activation, loss, 0.05}, 6});
    }
  }
  check_gradient({{{5, 2, 5}, Activation::Tanh, Loss::MeanSquared, 0}, 9});
}

TEST_CASE("float networks agree with double ones") {
  const NetworkSpec spec{{6, 8, 3}, Activation::Tanh, Loss::SoftmaxCrossEntropy, 0.01};
  Network<double> wide(spec);
  Network<float> narrow(spec);
  initialise(wide, Initialisation::Auto, 4);
  initialise(narrow, Initialisation::Auto, 4);
  const Samples<double> samples = random_samples({spec, 12});
  Samples<float> rounded;
  rounded.count = samples.count;
  rounded.inputs = samples.inputs;
  rounded.features.assign(samples.features.begin(), samples.features.end());
  rounded.labels = samples.labels;
  CHECK(narrow.loss(rounded) == Approx(wide.loss(samples)).epsilon(1e-5));
}

TEST_CASE("the derivative of relu at 0 is 0") {
  Network<double> network(NetworkSpec{{1, 1, 1}, Activation::Relu, Loss::MeanSquared, 0});
  network.values(2)[0] = 1;  // the hidden unit's sum is 0
  Samples<double> samples{1, 1, 1, {1.0}, {5.0}, {}};
  std::vector<double> g(4, kInfinity);
  network.loss_and_gradient(samples, std::vector<void*>{&g[0], &g[1], &g[2], &g[3]});
  CHECK(g == std::vector<double>{0, 0, 0, -10});
}

TEST_CASE("losses stay exact far out") {
  const auto loss_of = [](Loss loss, std::vector<double> z, std::vector<double> targets,
                          std::vector<std::uint32_t> labels) {
    const auto outputs = static_cast<std::uint32_t>(z.size());
    return mean_loss(loss, LossInput<double>{1, outputs, z, targets, labels}, std::span<double>{});
  };
  CHECK(loss_of(Loss::BinaryCrossEntropy, {1000}, {0}, {}) == 1000);
  CHECK(loss_of(Loss::BinaryCrossEntropy, {-1000}, {0}, {}) == 0);
  CHECK(loss_of(Loss::BinaryCrossEntropy, {-40}, {0}, {}) == Approx(std::exp(-40)).epsilon(1e-12));
  CHECK(loss_of(Loss::BinaryCrossEntropy, {0}, {1}, {}) == Approx(std::log(2)));
  CHECK(loss_of(Loss::SoftmaxCrossEntropy, {1000, 0}, {}, {1}) == 1000);
  CHECK(loss_of(Loss::SoftmaxCrossEntropy, {-1000, -1000}, {}, {0}) == Approx(std::log(2)));
  CHECK(loss_of(Loss::MeanSquared, {3, 5}, {1, 5}, {}) == 2);
}

TEST_CASE("what is not finite is never hidden by an activation or a loss") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Loss loss : {Loss::MeanSquared, Loss::BinaryCrossEntropy, Loss::SoftmaxCrossEntropy}) {
    for (const Activation activation : {Activation::Relu, Activation::Sigmoid, Activation::Tanh}) {
      const std::uint32_t outputs = loss == Loss::SoftmaxCrossEntropy ? 3 : 1;
      Network<double> network(NetworkSpec{{2, 3, outputs}, activation, loss, 0});
      initialise(network, Initialisation::Xavier, 1);
      Samples<double> samples = random_samples({network.spec(), 2});
      samples.features[0] = nan;
      CHECK(std::isnan(network.loss(samples)));
    }
  }
}

TEST_CASE("start values follow the seed and the limits of their kind") {
  Network<double> a(NetworkSpec{{50, 40, 10}, Activation::Relu, Loss::SoftmaxCrossEntropy, 0});
  Network<double> b(a.spec());
  initialise(a, Initialisation::Auto, 1);
  initialise(b, Initialisation::Auto, 1);
  const auto same = [&](std::size_t i) {
    return std::equal(a.values(i).begin(), a.values(i).end(), b.values(i).begin());
  };
  CHECK(same(0));
  initialise(b, Initialisation::Auto, 2);
  CHECK(!same(0));
  CHECK(same(1));
  const auto greatest = [&](std::size_t i) {
    double found = 0;
    for (const double v : a.values(i)) found = std::max(found, std::abs(v));
    return found;
  };
  CHECK(greatest(0) <= std::sqrt(6.0 / 50));
  CHECK(greatest(0) > 0.95 * std::sqrt(6.0 / 50));
  CHECK(greatest(2) <= std::sqrt(6.0 / 50));
  CHECK(greatest(1) == 0);
  Network<double> linear(NetworkSpec{{50, 1}, Activation::Relu, Loss::MeanSquared, 0});
  initialise(linear, Initialisation::Auto, 1);
  CHECK(linear.values(0)[7] == 0);
}

TEST_CASE("a normal start has the deviation that was asked for") {
  Network<double> network(
      NetworkSpec{{50, 40, 10}, Activation::Relu, Loss::SoftmaxCrossEntropy, 0});
  const auto start = parse_initialisation("normal:2.5");
  REQUIRE(start.ok());
  initialise(network, *start, 1);
  for (const std::size_t weights : {0U, 2U}) {
    double sum = 0;
    double squares = 0;
    for (const double v : network.values(weights)) sum += v, squares += v * v;
    const auto count = static_cast<double>(network.values(weights).size());
    CHECK(std::abs(sum / count) < 4 * 2.5 / std::sqrt(count));
    CHECK(std::sqrt(squares / count) == Approx(2.5).epsilon(0.1));
  }
  for (const double v : network.values(1)) CHECK(v == 0);
  for (const char* wrong : {"normal", "normal:", "normal:0", "normal:-1", "normal:inf", "normal:x"})
    CHECK(!parse_initialisation(wrong).ok());
}

TEST_CASE("layouts rename, reshape and reorder") {
  Network<double> network(NetworkSpec{{1, 1}, Activation::Relu, Loss::MeanSquared, 0},
                          {{"b", {1}, {0, true}}, {"w", {1}, {0, false}}});
  CHECK(network.parameters()[0].name == "b");
  network.values(0)[0] = 4;
  network.values(1)[0] = 3;
  const std::vector<double> x = {2};
  CHECK(network.forward(x, 1)[0] == 10);
}

TEST_CASE("evaluation counts every sample once, over blocks") {
  Network<double> network(NetworkSpec{{1, 1}, Activation::Relu, Loss::BinaryCrossEntropy, 0.5});
  network.values(0)[0] = 1;
  Samples<double> samples;
  samples.count = 2500;
  samples.inputs = samples.outputs = 1;
  for (std::uint32_t i = 0; i < samples.count; ++i) {
    samples.features.push_back(i % 2 == 0 ? 2 : -2);
    samples.targets.push_back(i % 4 == 3 ? 1 : (i + 1) % 2);
  }
  const Samples<double> none;
  NetworkObjective<double> objective(network, samples, none);
  const Evaluation evaluation = objective.evaluate_training();
  CHECK(*evaluation.accuracy == 0.75);
  CHECK(evaluation.loss == Approx(network.loss(samples)).epsilon(1e-12));
  CHECK(!objective.evaluate_validation());
  CHECK(objective.confusion(samples) == std::vector<std::uint64_t>{625, 0, 625, 1250});
}

TEST_CASE("model specifications read back, and bad ones are refused") {
  for (const char* text : {"linear", "logistic", "softmax", "mlp:64-128-10,relu", "mlp:2-1,tanh",
                           "autoencoder:8-2-8,sigmoid", "function:rosenbrock"}) {
    CHECK(to_text(*parse_model_spec(text)) == text);
  }
  CHECK(to_text(*parse_model_spec("mlp:64-10")) == "mlp:64-10,relu");
  for (const char* text :
       {"", "mpl:3-2", "mlp", "mlp:", "mlp:3", "mlp:3-", "mlp:-3-2", "mlp:3-0", "mlp:3-2,",
        "mlp:3-2,gelu", "mlp:3--2", "mlp:3-99999999999", "autoencoder:4-2-5", "linear:3"}) {
    INFO(text);
    CHECK(!parse_model_spec(text).ok());
  }
  CHECK_THAT(parse_model_spec("mpl:3-2").failure().message, Catch::Contains("did you mean `mlp`"));
}

TEST_CASE("models that do not fit into the machine are refused before they are allocated") {
  const NetworkSpec spec{{3, 4, 2}};
  CHECK(parameter_count(spec) == 3 * 4 + 4 + 4 * 2 + 2);
  CHECK(check_memory(spec, TALWEG_F32, 26 * 3 * 4).ok());
  CHECK(check_memory(spec, TALWEG_F64, 26 * 3 * 8).ok());
  CHECK(!check_memory(spec, TALWEG_F64, 26 * 3 * 8 - 1).ok());
  const auto refused = check_memory(spec, TALWEG_F32, 26 * 3 * 4 - 1);
  REQUIRE(!refused.ok());
  CHECK(refused.failure().kind == support::FailureKind::Usage);
  CHECK_THAT(refused.failure().message, Catch::Contains("26 parameters") &&
                                            Catch::Contains("312 bytes") &&
                                            Catch::Contains("311 bytes"));
  CHECK(check_memory(spec, TALWEG_F32).ok());
  // Neither the count nor its bytes may wrap around.
  const NetworkSpec countable{std::vector<std::uint32_t>(3, UINT32_MAX / 2)};
  REQUIRE(parameter_count(countable));
  CHECK_THAT(check_memory(countable, TALWEG_F64, UINT64_MAX).failure().message,
             Catch::Contains("need over 2^64 bytes"));
  const NetworkSpec endless{std::vector<std::uint32_t>(4, UINT32_MAX)};
  CHECK(!parameter_count(endless));
  CHECK_THAT(check_memory(endless, TALWEG_F32, UINT64_MAX).failure().message,
             Catch::Contains("over 2^64 parameters"));
}

TEST_CASE("test functions have their minima and their gradients") {
  RandomStream random(31, RandomPurpose::Data, 0);
  for (const TestFunction& function : test_functions()) {
    INFO(function.name);
    std::vector<double> gradient(2);
    for (const std::vector<double>& minimum : function.minima) {
      CHECK(function.value(minimum) == Approx(function.minimum).margin(1e-9));
      function.gradient(minimum, gradient);
      CHECK(gradient[0] == Approx(0).margin(1e-6));
      CHECK(gradient[1] == Approx(0).margin(1e-6));
    }
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<double> x = {4 * random.uniform() - 2, 4 * random.uniform() - 2};
      if (function.dimensions == 0) x.push_back(2 * random.uniform());
      gradient.resize(x.size());
      function.gradient(x, gradient);
      for (std::size_t i = 0; i < x.size(); ++i) {
        constexpr double kStep = 1e-6;
        std::vector<double> above = x;
        std::vector<double> below = x;
        above[i] += kStep;
        below[i] -= kStep;
        const double difference = (function.value(above) - function.value(below)) / (2 * kStep);
        CHECK(gradient[i] == Approx(difference).epsilon(1e-5).margin(1e-5));
      }
    }
  }
  CHECK_THAT(find_test_function("rosenbrok").failure().message,
             Catch::Contains("did you mean `rosenbrock`"));
  CHECK(!function_objective<double>(**find_test_function("beale"), std::vector<double>{1, 2, 3})
             .ok());
  CHECK(!function_objective<float>(**find_test_function("beale"), std::vector<double>{1e300, 2})
             .ok());
}
