// The program of the exchange with a rule of a library that `talweg build` made. It links neither
// libtalweg nor LLVM.
#include EXCHANGE_HEADER

#include "exchange.hpp"

int main() {
  const talweg::Rule rule = EXCHANGE_RULE();
  return train(rule);
}
