// talweg train: options to TrainSettings, the rule to an optimizer; runtime/train does the rest.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/cli/console.h"
#include "compiler/cli/exit_code.h"
#include "compiler/cli/front_end.h"
#include "compiler/cli/interrupt.h"
#include "compiler/cli/lists.h"
#include "compiler/cli/optimizer_factory.h"
#include "compiler/cli/subcommands.h"
#include "runtime/train/session.h"
#include "runtime/train/tensor_norms_text.h"

namespace talweg::cli {

namespace {

struct Options {
  RuleOptions rule;
  train::TrainSettings settings;
  bool no_restore = false, no_step_log = false, quiet = false, json = false;
};

void declare_data(CLI::App& app, train::TrainSettings& s) {
  app.add_option("-d,--data", s.data,
                 "CSV or IDX file (.gz too), or generated: generate:linear?n=100&noise=1, "
                 "generate:moons?n=400, "
                 "generate:spirals?n=600&classes=3")
      ->type_name("FILE");
  app.add_option("-t,--target", s.target,
                 "Target column by name or number (CSV), or the label file (IDX)");
  app.add_option("--header", s.header, "First line of a CSV file holds names")
      ->check(known_words({"auto", "yes", "no"}))
      ->capture_default_str();
  app.add_option("--missing", s.missing, "CSV cells without a value: refuse, or drop the row")
      ->check(known_words({"refuse", "drop"}))
      ->capture_default_str();
  app.add_option("--scale", s.scale,
                 "Features: auto, none, standard, max, or a number to divide by")
      ->capture_default_str();
  app.add_option("--validation", s.validation, "Part held out: a fraction (0.2), or every:5")
      ->capture_default_str();
}

void declare_model(CLI::App& app, train::TrainSettings& s) {
  app.add_option(
         "-m,--model", s.model,
         "linear, logistic, softmax, mlp:64-128-10[,relu|sigmoid|tanh], autoencoder:64-16-64, or "
         "function:rosenbrock")
      ->required();
  app.add_option("--loss", s.loss, "Loss; default: by model and target")
      ->check(known_words({"mse", "binary", "softmax"}));
  app.add_option("--l2", s.l2, "Adds l2/2 times the sum of squared weights to the loss")
      ->capture_default_str();
  app.add_option("--init", s.init, "Start from the parameters of a safetensors file")
      ->check(not_empty())
      ->type_name("FILE");
  app.add_option("--init-skip", s.init_skip, "Tensors (pattern) that keep their seeded start")
      ->allow_extra_args(false);
  app.add_option("--initialisation", s.initialisation,
                 "Start of the weights: auto (he below relu, else xavier), he, xavier, zeros, or "
                 "normal:DEVIATION")
      ->capture_default_str();
  add_list(app, "--start", s.start, "Start point of a function: --start=-1.5,2");
  app.add_option("--group", s.groups, "Parameter group: 'layers.0.*:lr=1e-4'; the first match wins")
      ->type_name("PATTERN:HYPER=VALUE,...")
      ->allow_extra_args(false);
  app.add_option("--freeze", s.freeze, "Tensors (pattern) that are not trained")
      ->allow_extra_args(false);
}

void declare_loop(CLI::App& app, Options& o) {
  train::TrainSettings& s = o.settings;
  app.add_option("-e,--epochs", s.epochs, "Passes over the training data")
      ->check(count_from(1))
      ->capture_default_str();
  app.add_option("--max-steps", s.max_steps,
                 "Stop after this many steps (batches), held and skipped ones counted; 0: no limit")
      ->check(count_from(0))
      ->capture_default_str();
  app.add_option("-b,--batch", s.batch, "Samples a step; 0: all of them, 1: one by one")
      ->check(count_from(0, UINT32_MAX))
      ->capture_default_str();
  app.add_option("--seed", s.seed, "Of initialisation, split and shuffles")
      ->check(count_from(0))
      ->capture_default_str();
  app.add_option("--shuffle", s.shuffle, "When the samples are put in another order")
      ->check(known_words({"none", "once", "every-epoch"}))
      ->capture_default_str();
  app.add_option("--order", s.order, "File of sample numbers from 0, one line an epoch")
      ->check(not_empty())
      ->type_name("FILE");
  app.add_flag("--drop-last", s.drop_last, "Leave out the smaller last batch of an epoch");
  app.add_option("--patience", s.patience,
                 "Stop after so many epochs without a better loss; 0: never")
      ->check(count_from(0))
      ->capture_default_str();
  app.add_option("--min-delta", s.min_delta, "How much lower counts as better")
      ->capture_default_str();
  app.add_option(
         "--view", s.view,
         "View of the rule (averaged, ema.averaged) that is validated, watched and saved in "
         "place of the parameters; those are saved beside it")
      ->type_name("NAME")
      ->check(not_empty());
  app.add_flag("--no-restore-best", o.no_restore,
               "After early stopping keep the last parameters, not the best");
}

void declare_output(CLI::App& app, Options& o) {
  app.add_option("-o,--out", o.settings.out, "Folder for parameters, log, summary and loss curve")
      ->check(not_empty())
      ->type_name("DIR");
  app.add_flag("--overwrite", o.settings.overwrite, "Replace the files of an earlier run in --out");
  app.add_flag("--no-step-log", o.no_step_log, "Log epochs only, not every step");
  app.add_flag("--log-norms", o.settings.log_norms,
               "Log the norms of each tensor's gradient, parameter and update in every step (with "
               "--no-step-log: in the first of the run and the last of each epoch)");
  app.add_flag("-q,--quiet", o.quiet, "No progress");
  app.add_flag("--json", o.json, "The summary as JSON on stdout");
}

nlohmann::json confusion_json(const train::Confusion& confusion) {
  return {{"classes", confusion.classes}, {"counts", confusion.counts}};
}

void add_results(nlohmann::ordered_json& json, const train::PartResults& results) {
  json["training_loss"] = results.training_loss;
  if (results.training_accuracy) json["training_accuracy"] = *results.training_accuracy;
  if (results.validation_loss) json["validation_loss"] = *results.validation_loss;
  if (results.validation_accuracy) json["validation_accuracy"] = *results.validation_accuracy;
}

std::string report_json(const train::TrainReport& r, const std::string& view, const Place& place) {
  nlohmann::ordered_json json = {{"device", place.device},
                                 {"cause", train::stop_cause_name(r.cause)},
                                 {"steps", r.steps},
                                 {"epochs", r.epochs},
                                 {"parameters", r.parameters},
                                 {"training_samples", r.training_samples},
                                 {"validation_samples", r.validation_samples},
                                 {"first_loss", r.first_loss}};
  if (place.is_gpu()) json["gpu"] = place.processor;
  if (r.held > 0) json["held_steps"] = r.held;
  if (r.skipped > 0) json["skipped_steps"] = r.skipped;
  if (r.extra_evaluations > 0) json["extra_evaluations"] = r.extra_evaluations;
  add_results(json, r);
  if (r.raw) {
    json["view"] = view;
    add_results(json["raw"], *r.raw);
  }
  if (r.best_epoch) json["best_epoch"] = *r.best_epoch;
  if (r.confusion) json["confusion"] = confusion_json(*r.confusion);
  if (r.norms) json["norms"] = train::to_json(*r.norms);
  json["seconds"] = {{"gradient", r.times.gradient_seconds},
                     {"optimizer", r.times.optimizer_seconds},
                     {"validation", r.times.validation_seconds},
                     {"loop", r.times.total_seconds},
                     {"total", r.total_seconds}};
  json["optimizer_share"] = r.times.optimizer_share();
  json["files"] = r.files;
  json["warnings"] = r.warnings;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

int run(Options& o) {
  o.settings.dtype = o.rule.dtype == "float64" ? TALWEG_F64 : TALWEG_F32;
  o.settings.restore_best = !o.no_restore;
  o.settings.log_steps = !o.no_step_log;
  if (auto checked = train::check(o.settings); !checked) return report("train", checked.failure());

  Compilation compilation(o.rule.include_dirs);
  auto compiled = compile_rule(compilation, o.rule);
  if (!compiled) return report("train", compiled.failure());
  const Place& place = compiled->place;
  std::shared_ptr<support::ThreadPool> pool;
  if (!place.is_gpu()) pool = std::make_shared<support::ThreadPool>(thread_count(o.rule.threads));
  o.settings.description = {{"rule", o.rule.rule},
                            {"device", place.device},
                            {"isa", place.is_gpu() ? place.isa : compiled->program->image().isa},
                            {"dtype", o.rule.dtype}};
  if (place.is_gpu()) {
    o.settings.device = place.text();
    o.settings.description.emplace_back("gpu", place.processor);
  } else {
    o.settings.description.emplace_back("threads", std::to_string(pool->threads()));
  }

  const InterruptGuard interrupt;
  train::Hooks hooks;
  hooks.stop = &interrupt.flag();
  if (!o.quiet)
    hooks.write_progress = [](std::string_view text) {
      std::fwrite(text.data(), 1, text.size(), stderr);
    };
  hooks.progress_is_terminal = is_terminal(stderr);
  hooks.terminal_columns = static_cast<unsigned>(terminal_width());
  const auto factory = [&](std::vector<optimizer::Tensor> tensors, std::uint32_t groups,
                           talweg_dtype) {
    return make_optimizer(compiled->program, o.rule.settings, std::move(tensors), groups, pool,
                          place.make_core);
  };
  auto trained = train::train(o.settings, factory, hooks);
  if (!trained) return report("train", trained.failure());
  for (const std::string& warning : trained->warnings)
    fmt::print(stderr, "talweg train: warning: {}\n", warning);
  print(o.json ? report_json(*trained, o.settings.view, place) : trained->text);
  return kOk;
}

}  // namespace

std::function<int()> declare_train(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_rule(app, options->rule);
  declare_device(app, options->rule.device);
  declare_data(app, options->settings);
  declare_model(app, options->settings);
  declare_loop(app, *options);
  declare_output(app, *options);
  app.footer(
      "Example:\n  talweg train --rule 'AdamW(lr = cosine(t, peak = 1e-3, total = 2000))' \\\n"
      "    --data digits.csv.gz --target label --model mlp:64-128-10 --epochs 20 --batch 64 --out "
      "run/");
  return [options] { return run(*options); };
}

}  // namespace talweg::cli
