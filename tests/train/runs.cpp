#include "tests/train/runs.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "tests/train/fake_rule.h"

namespace talweg::train::testing {

std::string data_file(const char* name) {
  return std::string(TALWEG_SOURCE_DIR) + "/examples/data/" + name;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TrainSettings iris(const std::filesystem::path& out) {
  TrainSettings settings;
  settings.data = data_file("iris.csv");
  settings.target = "species";
  settings.model = "mlp:4-8-3,tanh";
  settings.epochs = 60;
  settings.batch = 16;
  settings.validation = "0.2";
  settings.out = out.string();
  return settings;
}

TrainReport must_train(const TrainSettings& settings, double lr, const Hooks& hooks) {
  FakeRule rule(lr);
  auto report = talweg::train::train(settings, fake_factory(rule), hooks);
  INFO((report ? "" : report.failure().message));
  REQUIRE(report.ok());
  return *report;
}

std::string refusal(const TrainSettings& settings, bool by_check) {
  if (by_check) CHECK(!check(settings).ok());
  FakeRule rule;
  auto report = talweg::train::train(settings, fake_factory(rule));
  REQUIRE(!report.ok());
  return report.failure().message;
}

}  // namespace talweg::train::testing
