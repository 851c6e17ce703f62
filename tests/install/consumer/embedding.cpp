// Compiles a standard rule at run time: libtalweg finds its rules from its own place.
#include <iostream>
#include <talweg/talweg.hpp>

int main() {
  float weight = 3;
  const talweg::Rule rule = talweg::compile("SGD(lr = 0.5)");
  talweg::Optimizer optimizer(rule, {{"w", {1}, &weight}});
  const float gradient = 2;
  optimizer.step({&gradient});
  std::cout << "embedded " << weight << '\n';
}
