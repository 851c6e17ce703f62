// talweg predict RUN --data FILE: uses the parameters of a run on new data.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/subcommands.h"
#include "runtime/train/session.h"

namespace talweg::cli {

namespace {

std::string report_json(const train::PredictReport& r) {
  nlohmann::ordered_json json = {{"samples", r.samples}, {"file", r.file}};
  if (r.accuracy) json["accuracy"] = *r.accuracy;
  if (r.mean_squared_error) json["mean_squared_error"] = *r.mean_squared_error;
  if (r.confusion)
    json["confusion"] = {{"classes", r.confusion->classes}, {"counts", r.confusion->counts}};
  json["warnings"] = r.warnings;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::function<int()> declare_predict(CLI::App& app) {
  struct Options {
    train::PredictSettings settings;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  train::PredictSettings& s = options->settings;
  app.add_option("run", s.run, "Folder of a training run, or its parameters.safetensors")
      ->required()
      ->type_name("RUN");
  app.add_option("-d,--data", s.data, "CSV or IDX file; features are matched by name")
      ->required()
      ->type_name("FILE");
  app.add_option("-t,--target", s.target,
                 "The truth, if known: a column (CSV) or label file (IDX)");
  app.add_option("--header", s.header, "First line of a CSV file holds names")
      ->check(known_words({"auto", "yes", "no"}))
      ->capture_default_str();
  app.add_option("-o,--out", s.out,
                 "Predictions as CSV; default: predictions.csv beside the parameters")
      ->check(not_empty())
      ->type_name("FILE");
  app.add_flag("--json", options->json, "The summary as JSON on stdout");
  return [options] {
    auto predicted = train::predict(options->settings);
    if (!predicted) return report("predict", predicted.failure());
    for (const std::string& warning : predicted->warnings)
      fmt::print(stderr, "talweg predict: warning: {}\n", warning);
    print(options->json ? report_json(*predicted) : predicted->text);
    return static_cast<int>(kOk);
  };
}

}  // namespace talweg::cli
