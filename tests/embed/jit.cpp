// The program of the exchange with a rule that it compiles. Arguments: expression, then
// "interpreter", a folder to go to before, or nothing.
#include <unistd.h>

#include "exchange.hpp"

int main(int count, char** arguments) {
  talweg::CompileOptions options;
  const std::string how = count > 2 ? arguments[2] : "";
  options.interpreter = how == "interpreter";
  if (how.rfind('/', 0) == 0 && chdir(how.c_str()) != 0) return 2;
  const talweg::Rule rule = talweg::compile(arguments[1], options);
  return train(rule);
}
