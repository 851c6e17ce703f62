// Whole runs from settings to files.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "runtime/checkpoint/safetensors.h"
#include "runtime/train/json_text.h"
#include "runtime/train/run_files.h"
#include "runtime/train/session.h"
#include "tests/train/fake_rule.h"
#include "tests/train/runs.h"
#include "tests/train/temporary_folder.h"
#include "tests/train/well_formed.h"

using namespace talweg;
using namespace talweg::train;
using namespace talweg::train::testing;

TEST_CASE("a classifier trains on real data, and its files tell the same story") {
  const TemporaryFolder folder;
  const auto out = folder.path() / "run";
  const TrainReport report = must_train(iris(out), 0.2);
  CHECK(report.cause == StopCause::Finished);
  CHECK(report.steps == 60 * 8);
  CHECK((report.training_samples == 120 && report.validation_samples == 30));
  CHECK(*report.validation_accuracy >= 0.9);
  CHECK(report.training_loss < report.first_loss);
  REQUIRE(report.confusion);
  CHECK(report.confusion->classes.size() == 3);
  CHECK(report.files.size() == 4);
  for (const std::string& file : report.files) CHECK(std::filesystem::exists(file));

  const Json summary = Json::parse(contents(out / kSummaryFile));
  CHECK(summary["steps"] == report.steps);
  CHECK(summary["validation_accuracy"] == *report.validation_accuracy);
  CHECK(is_well_formed_xml(contents(out / kPlotFile)));
  std::istringstream log(contents(out / kLogFile));
  std::map<std::string, int> events;
  for (std::string line; std::getline(log, line);)
    ++events[Json::parse(line)["event"].get<std::string>()];
  CHECK(events ==
        std::map<std::string, int>{{"start", 1}, {"step", 480}, {"epoch", 60}, {"end", 1}});
}

TEST_CASE("norms of every tensor are logged, and told in the summary") {
  const TemporaryFolder folder;
  const auto out = folder.path() / "run";
  TrainSettings settings = iris(out);
  settings.epochs = 2;
  settings.log_norms = true;
  constexpr double kRate = 0.25;  // exact: an update is the gradient's quarter but for its rounding
  const TrainReport report = must_train(settings, kRate);
  std::istringstream log(contents(out / kLogFile));
  std::vector<Json> norms;
  for (std::string line; std::getline(log, line);) {
    Json entry = Json::parse(line);
    if (entry["event"] == "norms") norms.push_back(std::move(entry));
  }
  REQUIRE(norms.size() == report.steps);
  for (const Json& entry : norms) {
    for (const char* name :
         {"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"}) {
      const double gradient = entry["gradient"][name];
      CHECK(gradient > 0);
      CHECK(entry["update"][name].get<double>() == Approx(kRate * gradient).epsilon(1e-4));
    }
  }
  CHECK(norms[0]["parameter"]["layers.0.bias"] == 0);
  CHECK(norms[1]["parameter"]["layers.0.bias"] == norms[0]["update"]["layers.0.bias"]);
  REQUIRE(report.norms);
  CHECK(report.norms->last.step == report.steps);
  const Json summary = Json::parse(contents(out / kSummaryFile));
  norms[0].erase("event");
  norms.back().erase("event");
  CHECK(summary["norms"]["first"] == norms[0]);
  CHECK(summary["norms"]["last"] == norms.back());
  CHECK_THAT(report.text, Catch::Contains("norms     gradient's norm at step 1: ") &&
                              Catch::Contains("gradient's norm at step 16: "));

  settings.out = (folder.path() / "plain").string();
  settings.log_norms = false;
  CHECK(!must_train(settings, kRate).norms);
  CHECK(contents(folder.path() / "plain" / kParametersFile) == contents(out / kParametersFile));
}

TEST_CASE("runs repeat bit for bit, and differ by seed") {
  const TemporaryFolder folder;
  TrainSettings settings = iris(folder.path() / "a");
  settings.epochs = 3;
  must_train(settings, 0.1);
  settings.out = (folder.path() / "b").string();
  must_train(settings, 0.1);
  settings.out = (folder.path() / "c").string();
  settings.seed = 2;
  must_train(settings, 0.1);
  const std::string first = contents(folder.path() / "a" / kParametersFile);
  CHECK(first == contents(folder.path() / "b" / kParametersFile));
  CHECK(first != contents(folder.path() / "c" / kParametersFile));
}

TEST_CASE("linear regression finds the line and shows it") {
  TrainSettings settings;
  settings.data = "generate:linear?n=200&noise=0.1";
  settings.model = "linear";
  settings.epochs = 500;
  settings.dtype = TALWEG_F64;
  const TrainReport report = must_train(settings, 0.3);
  CHECK(report.training_loss == Approx(0.01).margin(0.003));
  CHECK_THAT(report.text,
             Catch::Contains("layers.0.weight = 3.0") || Catch::Contains("layers.0.weight = 2.9"));
  CHECK(report.files.empty());
}

TEST_CASE("every kind of model trains") {
  const auto loss_of = [](const char* data, const char* target, const char* model, const char* loss,
                          double lr) {
    TrainSettings settings;
    settings.data = std::string(data).starts_with("generate:") ? data : data_file(data);
    settings.target = target;
    settings.model = model;
    settings.loss = loss;
    settings.epochs = 30;
    settings.batch = 32;
    const TrainReport report = must_train(settings, lr);
    CHECK(report.training_loss < report.first_loss);
    return report;
  };
  CHECK(*loss_of("breast_cancer.csv.gz", "diagnosis", "logistic", "", 0.3).training_accuracy >
        0.95);
  CHECK(*loss_of("wine.csv", "cultivar", "softmax", "", 0.3).training_accuracy > 0.95);
  CHECK(*loss_of("breast_cancer.csv.gz", "diagnosis", "mlp:30-10-1", "", 0.2).training_accuracy >
        0.95);
  CHECK(*loss_of("generate:moons", "", "mlp:2-16-2", "", 0.3).training_accuracy > 0.8);
  CHECK(*loss_of("generate:spirals?classes=3&turns=0.2", "", "mlp:2-16-3,tanh", "", 0.3)
             .training_accuracy > 0.8);
  CHECK(!loss_of("wine.csv", "proline", "mlp:13-8-1", "mse", 1e-7).training_accuracy);
  CHECK(!loss_of("digits.csv.gz", "label", "autoencoder:64-16-64", "", 0.3).training_accuracy);
  CHECK(
      !loss_of("digits.csv.gz", "label", "autoencoder:64-16-64", "binary", 0.3).training_accuracy);
}

TEST_CASE("an autoencoder predicts reconstructions in the file's units") {
  const TemporaryFolder folder;
  TrainSettings settings = iris(folder.path() / "run");
  settings.model = "autoencoder:4-4-4,tanh";
  settings.epochs = 400;
  must_train(settings, 0.3);
  const auto report = predict({settings.out, data_file("iris.csv"), "", "auto", ""});
  REQUIRE(report.ok());
  CHECK(*report->mean_squared_error < 0.01);
  CHECK_THAT(report->text, Catch::Contains("species"));
}

TEST_CASE("transfer starts from a file, freezes tensors and groups the rest") {
  const TemporaryFolder folder;
  TrainSettings settings = iris(folder.path() / "first");
  settings.epochs = 5;
  must_train(settings, 0.1);
  const std::string start = (folder.path() / "first" / kParametersFile).string();
  settings.out = (folder.path() / "second").string();
  settings.init = start;
  settings.freeze = {"layers.0.*"};
  settings.groups = {"*.bias:lr=0"};
  FakeRule rule(0.1);
  REQUIRE(talweg::train::train(settings, fake_factory(rule)).ok());
  CHECK(rule.groups == 2);
  const auto before = checkpoint::Safetensors::read(start);
  const auto after = checkpoint::Safetensors::read(folder.path() / "second" / kParametersFile);
  const auto same = [&](const char* name) {
    const auto a = before->data(*before->find(name));
    const auto b = after->data(*after->find(name));
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  CHECK(same("layers.0.weight"));
  CHECK(same("layers.0.bias"));
  CHECK(same("layers.1.bias"));
  CHECK(!same("layers.1.weight"));

  settings.out.clear();
  settings.freeze = {"layers.9.*"};
  CHECK_THAT(refusal(settings, false),
             Catch::Contains("layers.9.*") && Catch::Contains("`layers.0.weight`"));
  settings.freeze = {"*"};
  CHECK_THAT(refusal(settings, false), Catch::Contains("nothing to train"));
  settings.freeze.clear();
  settings.groups = {"*:lrr=0"};
  CHECK_THAT(refusal(settings, false), Catch::Contains("--group *") && Catch::Contains("lrr"));
  settings.groups.clear();
  settings.model = "mlp:4-9-3,tanh";
  CHECK_THAT(refusal(settings, false),
             Catch::Contains("layers.0.weight") && Catch::Contains("[4, 9]"));
  settings.init_skip = {"layers.*"};
  settings.dtype = TALWEG_F64;
  CHECK(must_train(settings, 0.1).steps > 0);
}

TEST_CASE("a run that diverges fails with its files written") {
  const TemporaryFolder folder;
  TrainSettings settings = iris(folder.path() / "run");
  settings.model = "mlp:4-8-3";
  settings.loss = "softmax";
  FakeRule rule(1e30);
  auto report = talweg::train::train(settings, fake_factory(rule));
  REQUIRE(!report.ok());
  CHECK(report.failure().kind == support::FailureKind::Numeric);
  CHECK_THAT(report.failure().message,
             Catch::Contains("step ") && Catch::Contains("parameters.safetensors"));
  const Json summary = Json::parse(contents(folder.path() / "run" / kSummaryFile));
  CHECK(summary["cause"] == "not finite");
  CHECK(checkpoint::Safetensors::read(folder.path() / "run" / kParametersFile).ok());
}

TEST_CASE("an interrupted run leaves a whole summary") {
  const TemporaryFolder folder;
  std::atomic<bool> stop{false};
  Hooks hooks;
  hooks.stop = &stop;
  hooks.on_step = [&](const StepRecord& record) { stop = record.step == 5; };
  const TrainReport report = must_train(iris(folder.path() / "run"), 0.1, hooks);
  CHECK(report.cause == StopCause::Interrupted);
  CHECK(report.steps == 5);
  CHECK(Json::parse(contents(folder.path() / "run" / kSummaryFile))["cause"] == "interrupted");
}

TEST_CASE("test functions leave a trajectory") {
  const TemporaryFolder folder;
  TrainSettings settings;
  settings.model = "function:booth";
  settings.epochs = 200;
  settings.out = (folder.path() / "run").string();
  const TrainReport report = must_train(settings, 0.05);
  CHECK(report.training_loss == Approx(0).margin(1e-8));
  const std::string csv = contents(folder.path() / "run" / kTrajectoryFile);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 202);
  settings.overwrite = true;
  settings.start = {1};
  CHECK_THAT(refusal(settings, false), Catch::Contains("booth"));
}

TEST_CASE("flags that mean nothing for a test function are refused by name") {
  const std::vector<std::pair<std::string, std::function<void(TrainSettings&)>>> flags = {
      {"--data", [](auto& s) { s.data = "x.csv"; }},
      {"--target", [](auto& s) { s.target = "y"; }},
      {"--header", [](auto& s) { s.header = "no"; }},
      {"--missing", [](auto& s) { s.missing = "drop"; }},
      {"--scale", [](auto& s) { s.scale = "max"; }},
      {"--validation", [](auto& s) { s.validation = "0.1"; }},
      {"--loss", [](auto& s) { s.loss = "mse"; }},
      {"--l2", [](auto& s) { s.l2 = 1; }},
      {"--init", [](auto& s) { s.init = "absent"; }},
      {"--init-skip", [](auto& s) { s.init_skip = {"x"}; }},
      {"--initialisation", [](auto& s) { s.initialisation = "he"; }},
      {"--batch", [](auto& s) { s.batch = 1; }},
      {"--seed", [](auto& s) { s.seed = 7; }},
      {"--shuffle", [](auto& s) { s.shuffle = "once"; }},
      {"--order", [](auto& s) { s.order = "absent"; }},
      {"--drop-last", [](auto& s) { s.drop_last = true; }}};
  for (const auto& [flag, give] : flags) {
    TrainSettings settings;
    settings.model = "function:booth";
    CHECK(check(settings).ok());
    give(settings);
    CHECK(check(settings).failure().kind == support::FailureKind::Usage);
    CHECK_THAT(refusal(settings), Catch::Contains("takes no " + flag + ";"));
  }
  TrainSettings settings;
  settings.model = "function:booth";
  settings.epochs = 3;
  settings.groups = {"x:lr=0.01"};
  settings.patience = 1;
  CHECK(must_train(settings, 0.1).steps == 3);
}

TEST_CASE("orders and missing values come from files") {
  const TemporaryFolder folder;
  write(folder.path() / "d.csv", "x,y\n1,2\n2,?\n3,6\n");
  write(folder.path() / "order", "0 1\n\n1,1,0\n");
  TrainSettings settings;
  settings.data = (folder.path() / "d.csv").string();
  settings.target = "y";
  settings.model = "linear";
  settings.missing = "drop";
  settings.order = (folder.path() / "order").string();
  settings.epochs = 2;
  settings.batch = 1;
  const TrainReport report = must_train(settings, 0.01);
  CHECK(report.steps == 5);
  CHECK_THAT(report.warnings.at(0), Catch::Contains("1 of 3 rows"));
  write(folder.path() / "order", "0 2\n");
  CHECK_THAT(refusal(settings, false), Catch::Contains("sample 2"));
  write(folder.path() / "order", "0\n1 x\n");
  CHECK_THAT(refusal(settings), Catch::Contains(":2") && Catch::Contains("\"x\""));
  write(folder.path() / "order", " \n");
  CHECK_THAT(refusal(settings), Catch::Contains("no sample numbers"));
}

TEST_CASE("settings that cannot work are refused before anything runs") {
  using Catch::Contains;
  const TemporaryFolder folder;
  const auto refused = [&](const std::function<void(TrainSettings&)>& change,
                           bool by_check = true) {
    TrainSettings settings = iris(folder.path() / "never");
    change(settings);
    const std::string message = refusal(settings, by_check);
    CHECK(!std::filesystem::exists(folder.path() / "never"));
    return message;
  };
  CHECK_THAT(refused([](auto& s) { s.model = "mlpp:2-1"; }), Contains("did you mean `mlp`"));
  CHECK_THAT(refused([](auto& s) { s.target = ""; }), Contains("--target"));
  CHECK_THAT(refused([](auto& s) { s.data = ""; }), Contains("--data"));
  CHECK_THAT(refused([](auto& s) { s.data = "/nowhere.csv"; }), Contains("no such file"));
  CHECK_THAT(refused([](auto& s) { s.data = "generate:linear"; }), Contains("leave --target away"));
  CHECK_THAT(refused([](auto& s) { s.init = "/nowhere"; }), Contains("--init"));
  CHECK_THAT(refused([](auto& s) { s.loss = "hinge"; }), Contains("no loss `hinge`"));
  CHECK_THAT(refused([](auto& s) { s.loss = "mse", s.model = "softmax"; }),
             Contains("loss softmax, not mse"));
  CHECK_THAT(refused([](auto& s) { s.l2 = -1; }), Contains("--l2"));
  CHECK_THAT(refused([](auto& s) { s.l2 = std::nan(""); }), Contains("--l2"));
  CHECK_THAT(refused([](auto& s) { s.epochs = 0; }), Contains("--epochs"));
  CHECK_THAT(refused([](auto& s) { s.validation = "2"; }), Contains("--validation"));
  CHECK_THAT(refused([](auto& s) { s.shuffle = "yes"; }), Contains("--shuffle"));
  CHECK_THAT(refused([](auto& s) { s.scale = "x"; }), Contains("--scale"));
  CHECK_THAT(refused([](auto& s) { s.header = "x"; }), Contains("--header"));
  CHECK_THAT(refused([](auto& s) { s.missing = "x"; }), Contains("--missing"));
  CHECK_THAT(refused([](auto& s) { s.initialisation = "x"; }), Contains("initialisation"));
  CHECK_THAT(refused([](auto& s) { s.initialisation = "normal:-1"; }),
             Contains("positive finite number, not `normal:-1`"));
  CHECK_THAT(refused([](auto& s) { s.order = "/nowhere"; }), Contains("/nowhere"));
  for (const char* group : {"", "x", "x:", "x:lr", "x:lr=", ":lr=1", "x:lr=1,,"}) {
    CHECK_THAT(refused([&](auto& s) { s.groups = {group}; }), Contains("--group"));
  }
  CHECK_THAT(refused([](auto& s) { s.dtype = TALWEG_BF16; }), Contains("--dtype"));
  CHECK_THAT(refused([](auto& s) { s.start = {1, 2}; }), Contains("--start"));
  CHECK_THAT(refused([](auto& s) { s.start = {1, 2}, s.data = ""; }), Contains("--start"));
  CHECK_THAT(refused([](auto& s) { s.model = "function:rosenbrock"; }),
             Contains("takes no --data, --target, --validation, --batch;"));
  CHECK_THAT(refused([](auto& s) { s.batch = UINT64_MAX; }), Contains("at most 4294967295"));
  CHECK_THAT(refused([](auto& s) { s.out = data_file("iris.csv"); }), Contains("is a file"));
  CHECK_THAT(refused([](auto& s) { s.model = "mlp:5-3"; }, false),
             Contains("write 4 as the first"));
  CHECK_THAT(refused([](auto& s) { s.model = "mlp:4-2"; }, false), Contains("write 3 as the last"));
  CHECK_THAT(refused([](auto& s) { s.model = "logistic"; }, false), Contains("3 classes"));
  CHECK_THAT(refused([](auto& s) { s.model = "linear"; }, false), Contains("setosa"));
  CHECK_THAT(refused([](auto& s) { s.drop_last = true, s.batch = 500; }, false),
             Contains("leave no batch"));
  CHECK_THAT(
      refused([](auto& s) { s.loss = "binary", s.model = "autoencoder:4-2-4", s.scale = "none"; },
              false),
      Contains("from 0 to 1"));
}

TEST_CASE("with a view, the view is evaluated and saved, and the parameters beside it") {
  const TemporaryFolder folder;
  TrainSettings plain = iris(folder.path() / "plain");
  plain.epochs = 4;
  const TrainReport without = must_train(plain, 0.2);
  CHECK_FALSE(without.raw);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "plain" / kRawParametersFile));

  TrainSettings settings = plain;
  settings.out = (folder.path() / "view").string();
  settings.view = "halved";
  const TrainReport report = must_train(settings, 0.2);
  REQUIRE(report.raw);
  CHECK(report.raw->training_loss == without.training_loss);
  CHECK(report.raw->validation_loss == without.validation_loss);
  CHECK(report.raw->validation_accuracy == without.validation_accuracy);
  CHECK(report.training_loss != without.training_loss);
  CHECK(report.text.find("`halved`; the parameters themselves: loss") != std::string::npos);
  CHECK(report.files.size() == without.files.size() + 1);
  const auto out = folder.path() / "view";
  CHECK(contents(out / kRawParametersFile) == contents(folder.path() / "plain" / kParametersFile));
  const auto tensors = [](const std::filesystem::path& file) {
    auto read = checkpoint::Safetensors::read(file);
    REQUIRE(read.ok());
    return *std::move(read);
  };
  const auto view = tensors(out / kParametersFile);
  const auto raw = tensors(out / kRawParametersFile);
  const auto first = [](const checkpoint::Safetensors& file) {
    float value = 0;
    std::memcpy(&value, file.data(*file.find("layers.0.weight")).data(), sizeof value);
    return value;
  };
  CHECK(first(view) == first(raw) / 2);
  const Json summary = Json::parse(contents(out / kSummaryFile));
  CHECK(summary["view"] == "halved");
  CHECK(summary["training_loss"] == report.training_loss);
  CHECK(summary["raw"]["training_loss"] == report.raw->training_loss);
  // What is predicted with is the view.
  PredictSettings prediction;
  prediction.run = out.string();
  prediction.data = settings.data;
  prediction.target = settings.target;
  const auto predicted = predict(prediction);
  REQUIRE(predicted.ok());
  CHECK(predicted->accuracy);

  settings.view = "halfed";
  settings.out = (folder.path() / "none").string();
  CHECK(refusal(settings, false) == "rule `fake` has no view `halfed` (did you mean `halved`?)");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "none"));
}
