// The program of the exchange: trains with whatever rule it is given and prints every bit that
// comes of it. Which rule that is, compiled or built, is one line of jit.cpp and built.cpp.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <talweg/talweg.hpp>

/// The gradient of a bowl whose curvature differs from element to element.
inline void bowl(const std::vector<float>& parameters, std::vector<float>& gradient) {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    gradient[i] = (parameters[i] - 0.25f) * static_cast<float>(1 + i % 7);
}

inline void print_bits(const char* name, const float* data, std::size_t count) {
  std::uint64_t sum = 1469598103934665603u;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &data[i], sizeof bits);
    sum = (sum ^ bits) * 1099511628211u;
  }
  std::printf("%s %zu %016llx\n", name, count, static_cast<unsigned long long>(sum));
}

inline int train(const talweg::Rule& rule) {
  std::vector<float> w(70 * 300), b(300), grad_w(w.size()), grad_b(b.size());
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::sin(static_cast<float>(i));
  talweg::Options options;
  options.threads = 3;
  talweg::Optimizer optimizer(rule, {{"w", {70, 300}, w.data()}, {"b", {300}, b.data()}}, options);
  optimizer.set("lr", 0.01);
  std::vector<std::byte> saved;
  for (int step = 0; step < 12; ++step) {
    talweg::Outcome outcome;
    do {
      bowl(w, grad_w);
      bowl(b, grad_b);
      outcome = optimizer.step({grad_w.data(), grad_b.data()});
      std::printf("step %d: outcome %d\n", step, static_cast<int>(outcome));
    } while (outcome == talweg::Outcome::Regrad);
    if (step == 5) saved = optimizer.save();
    if (step == 8) optimizer.load(saved);
  }
  std::printf("%s, steps %llu, lr %g, saved %zu\n", rule.name().c_str(),
              static_cast<unsigned long long>(optimizer.steps()), optimizer.get("lr"),
              saved.size());
  print_bits("w", w.data(), w.size());
  print_bits("b", b.data(), b.size());
  for (const talweg::State& state : optimizer.states())
    if (state.data<float>() != nullptr)
      print_bits((state.name() + "/" + state.tensor()).c_str(), state.data<float>(), state.size());
  for (const talweg_part& view : rule.views()) {
    const talweg::View swapped = optimizer.swap_in(view.name);
    print_bits(view.name, w.data(), w.size());
  }
  print_bits("w again", w.data(), w.size());
  for (const talweg_hyper& hyper : rule.hypers()) std::printf("hyper %s\n", hyper.name);
  try {
    optimizer.set("lr", -1);
  } catch (const talweg::Error& error) {
    std::printf("%s: %s\n", error.code().c_str(), error.what());
    return 0;
  }
  return 1;
}
