// The entry of the command line (and of any program) to training and prediction: settings as a user
// types them, one call, a report. Everything is checked before anything expensive runs; the rule
// itself comes from outside as an OptimizerFactory, so that this layer never sees the compiler.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/optimizer/optimizer.hpp"
#include "runtime/support/result.h"
#include "runtime/train/loop.h"
#include "runtime/train/tensor_norms.h"

namespace talweg::train {

/// Makes the optimizer of a run: tensors (in the model's memory), number of parameter groups,
/// compute type.
using OptimizerFactory = std::function<support::Result<optimizer::Optimizer>(
    std::vector<optimizer::Tensor> tensors, std::uint32_t groups, talweg_dtype dtype)>;

/// The flags of `talweg train`, as typed. Strings keep the user's spelling; `check` reads them all.
struct TrainSettings {
  /// A CSV or IDX file (either may be gzip), or generated data: `generate:linear?n=100&noise=1`,
  /// `generate:moons?n=400&noise=0.1`, `generate:spirals?n=600&classes=3&turns=1&noise=0.05`.
  /// Empty for `model = function:...`.
  std::string data;
  /// CSV: name of the target column, or its number counted from 1 (from the end: -1). IDX: the
  /// label file.
  std::string target;
  std::string header = "auto";     // CSV: auto, yes, no
  std::string missing = "refuse";  // CSV cells without a value: refuse, or drop (leave the row out)
  /// linear, logistic, softmax, `mlp:64-128-10[,relu|sigmoid|tanh]`, `autoencoder:64-16-64[,...]`,
  /// or a test function: `function:rosenbrock` (then `start` and `epochs` steps, no data).
  std::string model;
  std::string loss;  // empty: by model and target; mse, binary, softmax
  double l2 = 0;     // adds l2/2 * sum of squared weights (never biases) to the loss
  /// auto: standard for CSV, 255 for IDX, none for generated data and max for autoencoders; none;
  /// standard: (x - mean) / deviation; max: x / max |x|; a number: x / number. Fitted on the
  /// training part.
  std::string scale = "auto";
  std::uint64_t epochs = 10;
  std::uint64_t max_steps = 0;  // 0: no limit
  std::uint64_t batch = 0;      // samples a step; 0: the whole training part
  std::uint64_t seed = 1;
  std::string shuffle = "every-epoch";  // none, once, every-epoch
  std::string order;       // file of sample numbers from 0, one line an epoch; used in turn
  bool drop_last = false;  // leave out the smaller last batch of an epoch
  std::string validation =
      "0";  // a fraction in [0, 1) by a seeded shuffle, or `every:5`: each 5th row
  std::uint64_t patience = 0;  // epochs without a better loss before stopping early; 0: never
  double min_delta = 0;        // how much lower counts as better
  bool restore_best = true;    // after early stopping, go back to the best epoch's parameters
  /// A view of the rule that stands in for the parameters wherever a run is judged or kept:
  /// validation, early stopping, final losses, saved parameters; empty: none.
  std::string view;
  std::vector<std::string>
      groups;  // `PATTERN:hyper=value,...`, e.g. `layers.0.*:lr=1e-4`; first match wins
  std::vector<std::string> freeze;  // patterns of tensors that are not trained
  std::string init;                 // safetensors file to start from; empty: seeded initialisation
  std::vector<std::string> init_skip;   // patterns of tensors that keep their seeded start
  std::string initialisation = "auto";  // auto (He for relu, Xavier else; zeros without hidden
                                        // layer), he, xavier, zeros, normal:DEVIATION
  std::vector<double> start;            // function models: the start point; empty: the usual one
  talweg_dtype dtype = TALWEG_F32;
  std::string out;         // folder for the run's files; empty: no files
  bool overwrite = false;  // replace the files of an earlier run in `out`
  bool log_steps = true;   // log every step, not only every epoch
  /// Measure and log the norms of each tensor: in every step, or without `log_steps` in the first
  /// step and the last of each epoch.
  bool log_norms = false;
  /// Where the optimizer's steps run, as people are told it; empty: not said.
  std::string device;
  /// What the caller adds to the summary: rule, device, isa, threads.
  std::vector<std::pair<std::string, std::string>> description;
};

/// What a run calls back. All calls come from the thread that called `train`.
struct Hooks {
  const std::atomic<bool>* stop =
      nullptr;  // set (by a signal handler): ends after the current step
  std::function<void(std::string_view)>
      write_progress;                 // progress text, written as it is; empty: none
  bool progress_is_terminal = false;  // a line redrawn in place; else plain lines now and then
  unsigned terminal_columns = 80;
  std::function<void(const StepRecord&)> on_step;
  std::function<void(const EpochRecord&)> on_epoch;
};

/// Counts of (true class, predicted class) on one part of the data.
struct Confusion {
  std::vector<std::string> classes;
  std::vector<std::uint64_t> counts;  // [true][predicted], row-major
};

/// Losses and accuracies of one set of parameters.
struct PartResults {
  double training_loss = 0;  // of the whole training part
  std::optional<double> training_accuracy;
  std::optional<double> validation_loss, validation_accuracy;
};

/// The results are those of the final parameters, or of the view that stands in for them.
struct TrainReport : PartResults {
  StopCause cause = StopCause::Finished;
  std::uint64_t steps = 0;              // batches given to the optimizer
  std::uint64_t held = 0, skipped = 0;  // of these, by the rule
  std::uint64_t extra_evaluations = 0;  // gradients that the rule asked for beyond one a step
  std::uint64_t epochs = 0;             // completed
  std::uint64_t parameters = 0;
  std::uint64_t training_samples = 0, validation_samples = 0;
  double first_loss = 0;           // of the first batch, before any update
  std::optional<PartResults> raw;  // where a view stands in: of the parameters themselves
  std::optional<std::uint64_t> best_epoch;
  std::optional<RunNorms> norms;       // with TrainSettings::log_norms, after a first step
  std::optional<Confusion> confusion;  // on the validation part, or on all data without one
  LoopTimes times;
  double total_seconds = 0;        // data, set-up, loop and evaluation
  std::vector<std::string> files;  // written, the parameters first
  std::vector<std::string> warnings;
  std::string text;  // the summary for people: some lines, each ended
};

/// Reads all settings and looks at nothing but them and the presence of files. Failures are Usage
/// or Io.
support::Status check(const TrainSettings& settings);

/// Trains. Failures: Usage and Io before the first step; Numeric when a loss or a parameter stops
/// being finite (log, summary and the parameters of before that step are written first; the message
/// names them); whatever the factory or a step of the optimizer fails with.
support::Result<TrainReport> train(const TrainSettings& settings,
                                   const OptimizerFactory& make_optimizer, const Hooks& hooks = {});

/// The flags of `talweg predict RUN --data FILE`.
struct PredictSettings {
  std::string run;     // a run's folder, or its parameters.safetensors
  std::string data;    // CSV or IDX; features are matched by name where the file has a header
  std::string target;  // optional: column (CSV) or label file (IDX) with the truth
  std::string header = "auto";
  std::string out;  // predictions CSV; empty: `predictions.csv` beside the parameters
};

struct PredictReport {
  std::uint64_t samples = 0;
  std::optional<double> accuracy;  // with a target of classes
  std::optional<double>
      mean_squared_error;  // with a target of numbers; autoencoders: of reconstruction
  std::optional<Confusion> confusion;
  std::string file;
  std::vector<std::string> warnings;
  std::string text;
};

/// Predicts with the parameters of a run. Refused by name: features missing or unknown, other
/// sizes. Warns where the run did not end well by its summary, or where that cannot be read.
support::Result<PredictReport> predict(const PredictSettings& settings);

}  // namespace talweg::train
