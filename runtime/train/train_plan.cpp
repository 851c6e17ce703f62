// Each flag read by the function of its topic; the rules between flags stand here.
#include "runtime/train/train_plan.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "runtime/support/file_io.h"
#include "runtime/train/names.h"
#include "runtime/train/number_text.h"
#include "runtime/train/test_functions.h"

namespace talweg::train {
namespace {

constexpr std::uint64_t kMaxOrderFileBytes = std::uint64_t{1} << 30U;

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

support::Result<Shuffle> parse_shuffle(std::string_view text) {
  if (text == "none") return Shuffle::None;
  if (text == "once") return Shuffle::Once;
  if (text == "every-epoch") return Shuffle::EveryEpoch;
  return usage(fmt::format("--shuffle is none, once or every-epoch, not `{}`", text));
}

support::Result<MissingMode> parse_missing_mode(std::string_view text) {
  if (text == "refuse") return MissingMode::Refuse;
  if (text == "drop") return MissingMode::DropRow;
  return usage(fmt::format("--missing is refuse or drop, not `{}`", text));
}

/// Whether a model may be trained with a loss that was asked for.
support::Status check_loss(const ModelSpec& model, Loss loss) {
  std::string_view only;
  switch (model.kind) {
    case ModelSpec::Kind::Linear:
      if (loss != Loss::MeanSquared) only = "mse";
      break;
    case ModelSpec::Kind::Logistic:
      if (loss != Loss::BinaryCrossEntropy) only = "binary";
      break;
    case ModelSpec::Kind::Softmax:
      if (loss != Loss::SoftmaxCrossEntropy) only = "softmax";
      break;
    case ModelSpec::Kind::Autoencoder:
      if (loss == Loss::SoftmaxCrossEntropy) only = "mse (or binary, for features from 0 to 1)";
      break;
    case ModelSpec::Kind::Perceptron:
    case ModelSpec::Kind::Function:  // has no --loss
      break;
  }
  if (only.empty()) return support::ok();
  return usage(fmt::format("--model {} is trained with the loss {}, not {}", to_text(model), only,
                           name(loss)));
}

support::Status check_numbers(const TrainSettings& settings) {
  if (settings.epochs == 0) return usage("--epochs must be at least 1");
  if (settings.batch > UINT32_MAX)
    return usage(fmt::format("--batch is at most {}, not {}", UINT32_MAX, settings.batch));
  if (!(settings.l2 >= 0) || !std::isfinite(settings.l2)) {
    return usage(fmt::format("--l2 is a finite number that is not negative, not {}", settings.l2));
  }
  if (!(settings.min_delta >= 0) || !std::isfinite(settings.min_delta)) {
    return usage(fmt::format("--min-delta is a finite number that is not negative, not {}",
                             settings.min_delta));
  }
  if (settings.dtype != TALWEG_F32 && settings.dtype != TALWEG_F64) {
    return usage("--dtype is float32 or float64");
  }
  return support::ok();
}

/// What says something about data, networks or chance has no meaning for a test function.
support::Status check_function_model(const TrainSettings& s, const ModelSpec& model) {
  auto function = find_test_function(model.function);
  if (!function) return function.failure();
  const TrainSettings usual;
  const std::pair<std::string_view, bool> flags[] = {
      {"--data", s.data != usual.data},
      {"--target", s.target != usual.target},
      {"--header", s.header != usual.header},
      {"--missing", s.missing != usual.missing},
      {"--scale", s.scale != usual.scale},
      {"--validation", s.validation != usual.validation},
      {"--loss", s.loss != usual.loss},
      {"--l2", s.l2 != usual.l2},
      {"--init", s.init != usual.init},
      {"--init-skip", s.init_skip != usual.init_skip},
      {"--initialisation", s.initialisation != usual.initialisation},
      {"--batch", s.batch != usual.batch},
      {"--seed", s.seed != usual.seed},
      {"--shuffle", s.shuffle != usual.shuffle},
      {"--order", s.order != usual.order},
      {"--drop-last", s.drop_last != usual.drop_last}};
  std::string given;
  for (const auto& [flag, is_given] : flags) {
    if (is_given) given += fmt::format("{}{}", given.empty() ? "" : ", ", flag);
  }
  if (given.empty()) return support::ok();
  return usage(
      fmt::format("a test function takes no {}; its start is --start, its steps --epochs", given));
}

support::Status check_data_model(const TrainSettings& settings, const TrainPlan& plan) {
  if (!settings.start.empty())
    return usage("--start belongs to test functions (--model function:NAME)");
  if (settings.data.empty()) {
    return usage("there are no data: give --data FILE, or --data 'generate:linear?n=100&noise=1'");
  }
  if (plan.generated && !settings.target.empty()) {
    return usage("generated data have their target in themselves; leave --target away");
  }
  const bool needs_target = plan.model.kind != ModelSpec::Kind::Autoencoder;
  if (needs_target && !plan.generated && settings.target.empty()) {
    return usage(
        fmt::format("--model {} needs a target: name the column with --target (or its number; -1 "
                    "is the last), for IDX the label file",
                    to_text(plan.model)));
  }
  return support::ok();
}

support::Status read_order(const TrainSettings& settings, TrainPlan& plan) {
  if (settings.order.empty()) return support::ok();
  auto text = support::read_file(settings.order, kMaxOrderFileBytes);
  if (!text) return text.failure();
  auto order = parse_order(*text, settings.order);
  if (!order) return order.failure();
  plan.loop.order = std::move(*order);
  return support::ok();
}

/// Takes results into their places and keeps the first failure.
class Reading {
 public:
  template <class To, class From>
  void into(To& to, support::Result<From> result) {
    if (result) {
      to = *std::move(result);
    } else if (!failure_) {
      failure_ = result.failure();
    }
  }
  [[nodiscard]] support::Status status() const {
    if (failure_) return *failure_;
    return support::ok();
  }

 private:
  std::optional<support::Failure> failure_;
};

support::Status read_parts(const TrainSettings& settings, TrainPlan& plan) {
  Reading reading;
  if (!settings.loss.empty()) reading.into(plan.loss, parse_loss(settings.loss));
  if (settings.scale != "auto") reading.into(plan.scale, parse_scale_spec(settings.scale));
  reading.into(plan.split, parse_split_spec(settings.validation));
  reading.into(plan.header, parse_header_mode(settings.header));
  reading.into(plan.missing, parse_missing_mode(settings.missing));
  reading.into(plan.loop.shuffle, parse_shuffle(settings.shuffle));
  reading.into(plan.initialisation, parse_initialisation(settings.initialisation));
  for (const std::string& text : settings.groups) {
    reading.into(plan.groups.emplace_back(), parse_group_rule(text));
  }
  if (settings.data.starts_with(kGeneratePrefix)) {
    reading.into(plan.generated, parse_generate_spec(settings.data));
  }
  if (auto status = reading.status(); !status) return status;
  return read_order(settings, plan);
}

}  // namespace

support::Result<HeaderMode> parse_header_mode(std::string_view text) {
  if (text == "auto") return HeaderMode::Auto;
  if (text == "yes") return HeaderMode::Yes;
  if (text == "no") return HeaderMode::No;
  return usage(fmt::format("--header is auto, yes or no, not `{}`", text));
}

support::Result<GroupRule> parse_group_rule(std::string_view text) {
  const std::size_t colon = text.find(':');
  GroupRule rule{std::string(text.substr(0, colon)), {}};
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find(',');
    const std::string_view part = rest.substr(0, end);
    const std::size_t equals = part.find('=');
    const auto value = equals == std::string_view::npos
                           ? std::nullopt
                           : parse_number(trimmed(part.substr(equals + 1)));
    if (!value) break;
    rule.hypers.emplace_back(trimmed(part.substr(0, equals)), *value);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  if (rest.empty() && !rule.pattern.empty() && !rule.hypers.empty()) return rule;
  return usage(fmt::format(
      "--group is written PATTERN:hyper=value,..., as in 'layers.0.*:lr=1e-4', not `{}`", text));
}

support::Result<std::vector<std::vector<std::uint32_t>>> parse_order(std::string_view text,
                                                                     const std::string& source) {
  std::vector<std::vector<std::uint32_t>> order;
  std::vector<std::uint32_t> epoch;
  std::uint64_t line = 1;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t,\r\n", at), text.size());
    if (end > at) {
      const auto number = parse_count(text.substr(at, end - at));
      if (!number || *number >= UINT32_MAX) {
        return usage(fmt::format("{}:{}: \"{}\" is not a sample number (0, 1, ...)", source, line,
                                 text.substr(at, std::min<std::size_t>(end - at, 40))));
      }
      epoch.push_back(static_cast<std::uint32_t>(*number));
    }
    if (end == text.size() || text[end] == '\n') {
      ++line;
      if (!epoch.empty()) order.push_back(std::move(epoch));
      epoch.clear();
    }
    at = end + 1;
  }
  if (!order.empty()) return order;
  return usage(fmt::format("{} holds no sample numbers", source));
}

support::Result<TrainPlan> read_settings(const TrainSettings& settings) {
  TrainPlan plan;
  if (auto status = check_numbers(settings); !status) return status.failure();
  auto model = parse_model_spec(settings.model);
  if (!model) return model.failure();
  plan.model = std::move(*model);
  const bool is_function = plan.model.kind == ModelSpec::Kind::Function;
  if (is_function) {
    if (auto status = check_function_model(settings, plan.model); !status) return status.failure();
  }
  if (auto status = read_parts(settings, plan); !status) return status.failure();
  if (plan.loss) {
    if (auto status = check_loss(plan.model, *plan.loss); !status) return status.failure();
  }
  if (!is_function) {
    if (auto status = check_data_model(settings, plan); !status) return status.failure();
  }
  plan.loop.epochs = settings.epochs;
  plan.loop.max_steps = settings.max_steps;
  plan.loop.batch = settings.batch;
  plan.loop.seed = settings.seed;
  plan.loop.drop_last = settings.drop_last;
  plan.loop.patience = settings.patience;
  plan.loop.min_delta = settings.min_delta;
  plan.loop.restore_best = settings.restore_best;
  plan.loop.view = settings.view;
  if (settings.log_norms)
    plan.loop.norms = settings.log_steps ? NormsIn::EveryStep : NormsIn::EpochEnds;
  return plan;
}

}  // namespace talweg::train
