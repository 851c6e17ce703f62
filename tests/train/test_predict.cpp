// Prediction with the files of runs: what it gives, refuses and warns of.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "runtime/checkpoint/safetensors.h"
#include "runtime/train/json_text.h"
#include "runtime/train/run_files.h"
#include "runtime/train/session.h"
#include "tests/train/runs.h"
#include "tests/train/temporary_folder.h"

using namespace talweg;
using namespace talweg::train;
using namespace talweg::train::testing;

TEST_CASE("predict finds the model's columns and gives what training measured") {
  const TemporaryFolder folder;
  for (const talweg_dtype dtype : {TALWEG_F32, TALWEG_F64}) {
    TrainSettings settings = iris(folder.path() / "run");
    settings.validation = "0";
    settings.overwrite = true;
    settings.dtype = dtype;
    const TrainReport report = must_train(settings, 0.1);
    const auto predicted = predict({settings.out, data_file("iris.csv"), "species", "auto", ""});
    INFO((predicted ? "" : predicted.failure().message));
    REQUIRE(predicted.ok());
    CHECK(predicted->samples == 150);
    CHECK(predicted->accuracy == report.training_accuracy);
    CHECK(predicted->confusion->counts == report.confusion->counts);
    const std::string csv = contents(folder.path() / "run" / kPredictionsFile);
    CHECK_THAT(csv, Catch::StartsWith("row,prediction,probability,probability_setosa,"));
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 151);
  }
}

TEST_CASE("predict refuses data and files that do not fit, by name") {
  using Catch::Contains;
  const TemporaryFolder folder;
  TrainSettings settings = iris(folder.path() / "run");
  settings.epochs = 1;
  must_train(settings, 0.1);
  const auto refused = [&](const std::string& text, const std::string& target = "") {
    write(folder.path() / "new.csv", text);
    auto report = predict({settings.out, (folder.path() / "new.csv").string(), target, "auto", ""});
    REQUIRE(!report.ok());
    return report.failure().message;
  };
  CHECK_THAT(refused("sepal_length,sepal_width,petal_length\n1,2,3\n"), Contains("`petal_width`"));
  CHECK_THAT(refused("1,2,3\n"), Contains("3 feature columns") && Contains("4"));
  CHECK_THAT(refused("petal_width,petal_length,sepal_width,sepal_length,species\n1,2,3,4,rose\n",
                     "species"),
             Contains("rose") && Contains("`setosa`"));
  CHECK(!predict({(folder.path() / "none").string(), data_file("iris.csv"), "", "auto", ""}).ok());
  const std::string good = contents(folder.path() / "run" / kParametersFile);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{7}, good.size() / 2, good.size() - 1}) {
    write(folder.path() / "bad.safetensors", good.substr(0, cut));
    CHECK(!predict({(folder.path() / "bad.safetensors").string(), data_file("iris.csv"), "", "auto",
                    ""})
               .ok());
  }
  const float value = 1;
  REQUIRE(checkpoint::write_safetensors(
              folder.path() / "plain.safetensors",
              std::vector<checkpoint::TensorView>{{"x", checkpoint::TensorType::F32, {}, &value}})
              .ok());
  CHECK_THAT(predict({(folder.path() / "plain.safetensors").string(), data_file("iris.csv"), "",
                      "auto", ""})
                 .failure()
                 .message,
             Contains("does not say which model"));
  CHECK_THAT(
      predict({data_file("iris.csv"), data_file("iris.csv"), "", "auto", ""}).failure().message,
      Contains("iris.csv is not a safetensors file: "));
}

TEST_CASE("a damaged description of a model is refused") {
  const TemporaryFolder folder;
  TrainSettings settings = iris(folder.path() / "run");
  settings.epochs = 1;
  must_train(settings, 0.1);
  const auto file = checkpoint::Safetensors::read(folder.path() / "run" / kParametersFile);
  const std::string good = file->metadata().at("talweg.model");
  std::vector<checkpoint::TensorView> tensors;
  std::vector<std::vector<std::byte>> bytes;
  for (const auto& entry : file->entries()) {
    const auto data = file->data(entry);
    bytes.emplace_back(data.begin(), data.end());
    tensors.push_back({entry.name, entry.type, entry.shape, bytes.back().data()});
  }
  const auto refused = [&](const std::string& description) {
    const auto path = folder.path() / "changed.safetensors";
    REQUIRE(checkpoint::write_safetensors(path, tensors, {{"talweg.model", description}}).ok());
    return !predict({path.string(), data_file("iris.csv"), "", "auto", ""}).ok();
  };
  CHECK(!refused(good));
  for (std::size_t cut = 0; cut < good.size(); cut += 7) CHECK(refused(good.substr(0, cut)));
  const std::vector<std::pair<const char*, Json>> changes = {{"widths", {4, 9, 3}},
                                                             {"widths", {4}},
                                                             {"widths", {4, 4294967295U, 3}},
                                                             {"widths", {4, 1048576, 1048576, 3}},
                                                             {"widths", "4-8-3"},
                                                             {"classes", {"a", "b"}},
                                                             {"features", {"a"}},
                                                             {"scaling", Json::object()},
                                                             {"format", 2},
                                                             {"loss", "hinge"},
                                                             {"model", "mlp:4"}};
  for (const auto& [key, value] : changes) {
    Json changed = Json::parse(good);
    changed[key] = value;
    INFO(changed.dump());
    CHECK(refused(changed.dump()));
  }
}

TEST_CASE("numbers that the compute type cannot hold are refused before training") {
  const TemporaryFolder folder;
  TrainSettings settings;
  settings.data = (folder.path() / "d.csv").string();
  settings.target = "y";
  settings.model = "linear";
  settings.scale = "none";
  write(folder.path() / "d.csv", "x,y\n1,2\n1e300,4\n");
  CHECK_THAT(refusal(settings, false), Catch::Contains("d.csv:3: `x` is 1e+300") &&
                                           Catch::Contains("--scale") &&
                                           Catch::Contains("--dtype float64"));
  settings.scale = "max";
  settings.out = (folder.path() / "run").string();
  CHECK(must_train(settings, 0.1).steps > 0);
  write(folder.path() / "new.csv", "x\n1\n1.7e308\n");
  CHECK(predict({settings.out, (folder.path() / "new.csv").string(), "", "auto", ""}).ok());
  write(folder.path() / "d.csv", "x,y\n1,2\n2,-1e300\n");
  settings.out.clear();
  CHECK_THAT(refusal(settings, false),
             Catch::Contains("d.csv:3: the target `y` is -1e+300") && Catch::Contains("float64"));
  write(folder.path() / "d.csv", "x,y\n1e308,2\n-1e308,4\n");
  settings.scale = "auto";
  CHECK_THAT(refusal(settings, false), Catch::Contains("the column `x` cannot be scaled"));
  write(folder.path() / "d.csv", "x,y\n1e-30,2\n2e-30,4\n");
  settings.out = (folder.path() / "small").string();
  must_train(settings, 0.1);
  write(folder.path() / "new.csv", "x\n1e-30\n1e30\n");
  const auto far = predict({settings.out, (folder.path() / "new.csv").string(), "", "auto", ""});
  REQUIRE(!far.ok());
  CHECK_THAT(far.failure().message, Catch::Contains("new.csv:3: `x`"));
}

TEST_CASE("predict warns of runs that did not end well") {
  using Catch::Contains;
  const TemporaryFolder folder;
  TrainSettings settings = iris(folder.path() / "run");
  settings.epochs = 1;
  must_train(settings, 0.1);
  const auto summary = folder.path() / "run" / kSummaryFile;
  const std::string good = contents(summary);
  const auto warnings = [&](const std::string& run) {
    const auto report = predict({run, data_file("iris.csv"), "", "auto", ""});
    REQUIRE(report.ok());
    return report->warnings;
  };
  const auto warning = [&](const std::string& text) {
    write(summary, text);
    CHECK(warnings((folder.path() / "run" / kParametersFile).string()).size() == 1);
    return warnings(settings.out).at(0);
  };
  CHECK(warnings(settings.out).empty());
  Json changed = Json::parse(good);
  changed["cause"] = "not finite";
  changed["reason"] = "step 7: the loss is nan";
  CHECK_THAT(warning(changed.dump()),
             Contains("not finite") && Contains("step 7") && Contains("summary.json"));
  changed["cause"] = "interrupted";
  CHECK_THAT(warning(changed.dump()), Contains("interrupted"));
  for (const std::string& text : {std::string(), good.substr(0, good.size() / 2), std::string("[]"),
                                  std::string("{\"cause\": 3}"),
                                  std::string("{\"cause\": \"tired\"}"), std::string("\0", 1)}) {
    CHECK_THAT(warning(text), Contains("damaged") && Contains("summary.json"));
  }
  std::filesystem::remove(summary);
  CHECK(warnings((folder.path() / "run" / kParametersFile).string()).empty());
  CHECK_THAT(warnings(settings.out).at(0), Contains("there is no"));
  std::filesystem::create_directory(summary);
  CHECK_THAT(warnings(settings.out).at(0), Contains("cannot read"));
}
