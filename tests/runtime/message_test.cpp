// Numbers and names in messages, made without stdio.
#include "runtime/optimizer/message.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace {

std::string number_text(double value) {
  talweg_error error{};
  talweg_fail(&error, TALWEG_BAD_ARGUMENT, "");
  talweg_put_number(&error, value);
  return error.message;
}

}  // namespace

TEST_CASE("numbers read as people write them") {
  CHECK(number_text(0) == "0");
  CHECK(number_text(-0.0) == "0");
  CHECK(number_text(1) == "1");
  CHECK(number_text(-1.5) == "-1.5");
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(1.05) == "1.05");
  CHECK(number_text(1e-3) == "0.001");
  CHECK(number_text(1.5e-7) == "1.5e-7");
  CHECK(number_text(1e-46) == "1e-46");
  CHECK(number_text(100) == "100");
  CHECK(number_text(123456789) == "123456789");
  CHECK(number_text(1e300) == "1e+300");
  CHECK(number_text(999999999999.0) == "999999999999");
  CHECK(number_text(0.99999999999999) == "1");
  CHECK(number_text(std::numeric_limits<double>::denorm_min()) == "4.94065645841e-324");
  CHECK(number_text(std::numeric_limits<double>::max()) == "1.79769313486e+308");
  CHECK(number_text(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(number_text(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(number_text(std::nan("")) == "nan");
}

TEST_CASE("numbers of any size read back to 11 digits") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-320, 308);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::pow(10.0, exponent(random)) * (i % 2 == 0 ? 1 : -1);
    const double back = std::strtod(number_text(value).c_str(), nullptr);
    if (std::abs(back - value) > 1e-11 * std::abs(value))
      FAIL(number_text(value) << " for " << value);
  }
}

TEST_CASE("long messages and names are cut at whole characters") {
  talweg_error error{};
  const std::string name(200, 'a');
  talweg_fail(&error, TALWEG_BAD_ARGUMENT, "tensor ");
  talweg_put_name(&error, name.c_str());
  CHECK(std::string(error.message) == "tensor `" + std::string(96, 'a') + "...`");
  talweg_fail(&error, TALWEG_BAD_ARGUMENT, "");
  talweg_put_name(&error, "a\x1b[31m\nb\x7f");
  CHECK(std::string(error.message) == "`a?[31m?b?`");
  talweg_fail(&error, TALWEG_BAD_ARGUMENT, "x");
  for (int i = 0; i < 400; ++i) talweg_put(&error, "\xCE\xB2");
  CHECK(std::string(error.message).size() == TALWEG_MESSAGE_BYTES - 1);
  talweg_fail(&error, TALWEG_BAD_ARGUMENT, "");
  for (int i = 0; i < 400; ++i) talweg_put(&error, "\xCE\xB2");
  CHECK(std::string(error.message).size() == TALWEG_MESSAGE_BYTES - 2);
}

TEST_CASE("nobody has to want the message") {
  CHECK(talweg_fail(nullptr, TALWEG_OVERLAP, "text") == TALWEG_OVERLAP);
  talweg_put_number(nullptr, 1.5);
  talweg_put_name(nullptr, "name");
}
