// The program of the exchange with a rule that it compiles. Arguments: expression, then
// "interpreter" or nothing.
#include "exchange.hpp"

int main(int count, char** arguments) {
  talweg::CompileOptions options;
  options.interpreter = count > 2;
  const talweg::Rule rule = talweg::compile(arguments[1], options);
  return train(rule);
}
