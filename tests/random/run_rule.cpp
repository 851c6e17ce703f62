#include "tests/random/run_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "compiler/base/check.h"
#include "tests/codegen/guarded_memory.h"
#include "tests/matrix_views.h"
#include "tests/optimizers.h"

namespace talweg::tests {

namespace {

/// What a value belongs to; the numbers of value_at's streams.
enum Stream : std::uint64_t {
  kParam = 1,
  kGrad = 1000,
  kHyper = 2000,
  kInput = 3000,
  kPlacement = 9000
};

std::uint64_t stream_of(Stream kind, std::uint64_t step, std::uint64_t index) {
  return kind + (step << 20) + (index << 40);
}

bool reduces(const talweg_image& image) {
  bool some = image.step.reduction_count > 0;
  for (std::uint32_t i = 0; i < image.view_count; ++i)
    some = some || image.views[i].kernels.reduction_count > 0;
  for (std::uint32_t i = 0; i < image.state_count; ++i)
    some = some || (image.states[i].initial == TALWEG_INITIAL_KERNELS &&
                    image.initial_kernels[i].reduction_count > 0);
  return some;
}

class Run {
 public:
  Run(const talweg_image& image, const Setting& setting, std::shared_ptr<support::ThreadPool> pool,
      bool is_reference)
      : image_(image),
        setting_(setting),
        is_reference_(is_reference && !reduces(image) && image.fact_count == 0 &&
                      image.split == TALWEG_SPLIT_NONE) {
    for (std::uint32_t i = 0; i < image.step.phase_count; ++i)
      may_wait_ = may_wait_ || image.step.phases[i].says_regrad != 0;
    std::vector<optimizer::Tensor> tensors;
    for (std::size_t i = 0; i < setting.tensors.size(); ++i) {
      params_.push_back(array(i, stream_of(kParam, 0, i)));
      tensors.push_back({fmt::format("tensor{}", i),
                         shape(i),
                         params_.back().data(),
                         setting.tensors[i].group,
                         {i % 2 == 0 ? "even" : "odd"},
                         setting.tensors[i].split,
                         setting.tensors[i].split_at,
                         setting.tensors[i].split_to});
    }
    auto made = optimizer::Optimizer::create(image, nullptr, std::move(tensors), setting.groups,
                                             std::move(pool));
    if (!made) {
      trace_.push_back({"creation", {}, made.failure().message});
      return;
    }
    optimizer_.emplace(std::move(*made));
  }

  Trace run() && {
    if (!optimizer_) return std::move(trace_);
    name_ = "before the first step";
    look_at_views();
    for (std::uint32_t step = 1; step <= setting_.steps; ++step) {
      name_ = fmt::format("step {}", step);
      set_hypers(step);
      run_step(step);
      look();
    }
    return std::move(trace_);
  }

 private:
  [[nodiscard]] std::uint64_t length(std::size_t tensor) const {
    const std::uint64_t full = setting_.tensors[tensor].elements;
    return is_reference_ ? std::min(full, kPeriod) : full;
  }
  /// Of some rank from 0 to 3, with the tensor's elements.
  [[nodiscard]] std::vector<std::uint64_t> shape(std::size_t tensor) const {
    const std::uint64_t count = length(tensor);
    if (!setting_.tensors[tensor].shape.empty() && count == setting_.tensors[tensor].elements)
      return setting_.tensors[tensor].shape;
    switch (counter_random(setting_.seed, tensor) % 4) {
      case 0:
        if (count == 1) return {};
        return {count};
      case 1:
        return {1, count};
      case 2:
        return {count, 1, 1};
      default:
        return {count};
    }
  }
  [[nodiscard]] bool is_float32() const { return image_.compute_dtype == TALWEG_F32; }

  GuardedArray array(std::size_t tensor, std::uint64_t stream) {
    return numbers(length(tensor), is_float32(), tensor, stream);
  }

  /// Of each matrix, row or column.
  GuardedArray lines(std::size_t tensor, std::uint8_t rate, std::uint64_t stream) {
    const std::uint64_t count =
        count_lines(matrix_view_of(image_.split, shape(tensor), setting_.tensors[tensor]), rate);
    return numbers(count, is_float32() && rate != TALWEG_RATE_MATRIX, tensor, stream);
  }

  GuardedArray numbers(std::uint64_t count, bool in_float32, std::size_t tensor,
                       std::uint64_t stream) {
    GuardedArray made(count * (in_float32 ? 4 : 8), chance_at(setting_, kPlacement, tensor, 30)
                                                        ? Placement::AtStart
                                                        : Placement::AtEnd);
    fill_numbers(made.data(), count, in_float32, stream);
    return made;
  }

  void fill(void* array, std::size_t tensor, std::uint64_t stream) const {
    fill_numbers(array, length(tensor), is_float32(), stream);
  }

  void fill_numbers(void* array, std::uint64_t count, bool in_float32, std::uint64_t stream) const {
    for (std::uint64_t i = 0; i < count; ++i) {
      const double value = value_at(setting_, stream, i);
      if (in_float32)
        static_cast<float*>(array)[i] = static_cast<float>(value);
      else
        static_cast<double*>(array)[i] = value;
    }
  }

  template <class Value>
  void note(const std::string& what, const support::Result<Value>& status,
            const char* feature = "") {
    if (!status) trace_.push_back({name_ + ", " + what, {}, status.failure().message, feature});
  }

  /// Some hypers of some groups, in their range more often than not.
  void set_hypers(std::uint32_t step) {
    for (std::uint32_t h = 0; h < image_.hyper_count; ++h) {
      const talweg_hyper_info& hyper = image_.hypers[h];
      const bool is_model = hyper.rate == TALWEG_RATE_MODEL;
      for (std::uint32_t g = 0; g < (is_model ? 1 : setting_.groups); ++g) {
        const std::uint64_t stream = stream_of(kHyper, step, h);
        if (!chance_at(setting_, stream, g, 40)) continue;
        double value = value_at(setting_, stream, g);
        if (hyper.kind == TALWEG_HYPER_BOOL) value = value > 0 ? 1 : 0;
        if (hyper.kind == TALWEG_HYPER_INT) value = std::floor(std::fabs(value));
        if (hyper.kind == TALWEG_HYPER_NUMBER && chance_at(setting_, stream, g + 100, 50))
          value = std::fabs(value) / (1 + std::fabs(value));
        const auto group = is_model ? std::optional<std::uint32_t>() : g;
        note(fmt::format("setting {}", hyper.name), optimizer_->set_hyper(hyper.name, value, group),
             "run: a refused hyper");
      }
    }
  }

  void run_step(std::uint32_t step) {
    std::vector<GuardedArray> held;
    optimizer::StepInputs inputs;
    for (std::uint32_t n = 0; n < image_.input_count; ++n) {
      const std::uint64_t stream = stream_of(kInput, step, n);
      if (!chance_at(setting_, stream, 8888, 85)) continue;
      const std::string name = image_.inputs[n].name;
      if (image_.inputs[n].rate == TALWEG_RATE_MODEL) {
        inputs.model.emplace_back(name, value_at(setting_, stream, 0));
        continue;
      }
      const bool is_of_groups = image_.inputs[n].rate == TALWEG_RATE_GROUP;
      if (is_of_groups || image_.inputs[n].rate == TALWEG_RATE_TENSOR) {
        std::vector<double> values(is_of_groups ? setting_.groups : setting_.tensors.size());
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_at(setting_, stream, i);
        (is_of_groups ? inputs.group : inputs.tensor).emplace_back(name, std::move(values));
        continue;
      }
      const std::uint8_t rate = image_.inputs[n].rate;
      std::vector<const void*> pointers;
      for (std::size_t i = 0; i < setting_.tensors.size(); ++i) {
        held.push_back(rate == TALWEG_RATE_ELEMENT ? array(i, stream + i * 31)
                                                   : lines(i, rate, stream + i * 31));
        pointers.push_back(held.back().data());
      }
      (rate == TALWEG_RATE_MATRIX ? inputs.matrix
       : rate == TALWEG_RATE_ROW  ? inputs.row
       : rate == TALWEG_RATE_COL  ? inputs.col
                                  : inputs.element)
          .emplace_back(name, std::move(pointers));
    }
    const std::size_t given = inputs.model.size() + inputs.element.size() + inputs.group.size() +
                              inputs.tensor.size() + inputs.matrix.size() + inputs.row.size() +
                              inputs.col.size();
    if (given < image_.input_count) met("run: an input that is not given");
    const std::uint64_t stream = stream_of(kGrad, step, 0);
    if (may_wait_ && chance_at(setting_, stream, 5555, 30)) {
      const Trace before = snapshot();
      if (!take_step(step, inputs, true)) return;
      const Difference changed = first_difference(before, snapshot());
      if (!changed.what.empty()) fault("abandoned, but " + changed.what);
      if (chance_at(setting_, stream, 5556, 30)) return;
      met("run: a step that begins again");
    }
    take_step(step, inputs, false);
  }

  /// True where the step waited for a gradient and was abandoned.
  bool take_step(std::uint32_t step, const optimizer::StepInputs& inputs, bool abandons) {
    std::vector<GuardedArray> held;
    std::vector<const void*> gradients;
    for (std::size_t i = 0; i < setting_.tensors.size(); ++i) {
      held.push_back(array(i, stream_of(kGrad, step, i)));
      const bool is_absent = chance_at(setting_, stream_of(kGrad, step, i), 7777, 12);
      gradients.push_back(is_absent ? nullptr : held.back().data());
    }
    if (const auto missing = optimizer_->missing_inputs(inputs))
      for (const std::string& name : *missing)
        trace_.push_back({name_ + ", a missing input", {}, name});
    const auto absent = static_cast<std::size_t>(std::ranges::count(gradients, nullptr));
    if (absent == gradients.size())
      met("run: no gradient at all");
    else if (absent > 0)
      met("run: an absent gradient");
    auto outcome = optimizer_->step(gradients, inputs);
    for (std::uint64_t more = 1; outcome && *outcome == optimizer::StepOutcome::Regrad; ++more) {
      met("run: another gradient");
      for (std::size_t i = 0; i < setting_.tensors.size(); ++i)
        look_at(fmt::format("tensor {}, param for gradient {}", i, more), params_[i].data(),
                length(i));
      if (abandons && (more > 1 || chance_at(setting_, stream_of(kGrad, step, 0), 5557, 70))) {
        optimizer_->abandon();
        met("run: an abandoned step");
        return true;
      }
      for (std::size_t i = 0; i < setting_.tensors.size(); ++i)
        if (gradients[i] != nullptr)
          gradients[i] = next_gradient(held, i, stream_of(kGrad, step, i) + more * 1000003);
      outcome = optimizer_->step(gradients, inputs);
    }
    if (outcome) {
      constexpr const char* kOutcomes[] = {"run: a completed step", "run: a held call",
                                           "run: a skipped step"};
      met(kOutcomes[static_cast<int>(*outcome)]);
    } else {
      trace_.push_back(
          {name_ + ", the step", {}, outcome.failure().message, "run: a refused step"});
    }
    return false;
  }

  /// In the memory of the tensor's gradient before, or elsewhere: then nothing of that one is left.
  const void* next_gradient(std::vector<GuardedArray>& held, std::size_t tensor,
                            std::uint64_t stream) {
    void* before = held[tensor].data();
    fill(before, tensor, stream);
    if (chance_at(setting_, stream, 5558, 50)) return before;
    held.push_back(array(tensor, stream));
    fill(before, tensor, stream + 1);
    return held.back().data();
  }

  /// All that is there between steps.
  Trace snapshot() {
    Trace whole = std::exchange(trace_, {});
    look();
    std::swap(whole, trace_);
    return whole;
  }

  void met(const char* what) { trace_.push_back({name_, {}, what, what}); }

  void look_at(const std::string& name, const void* data, std::uint64_t count) {
    Section section{name_ + ", " + name, std::vector<double>(count), {}, {}};
    for (std::uint64_t i = 0; i < count; ++i)
      section.values[i] = is_float32() ? static_cast<double>(static_cast<const float*>(data)[i])
                                       : static_cast<const double*>(data)[i];
    trace_.push_back(std::move(section));
  }

  void look() {
    trace_.push_back({name_ + ", counters",
                      {static_cast<double>(optimizer_->steps_completed()),
                       static_cast<double>(optimizer_->calls())},
                      {}});
    for (std::size_t i = 0; i < setting_.tensors.size(); ++i)
      look_at(fmt::format("tensor {}, param", i), params_[i].data(), length(i));
    for (std::uint32_t s = 0; s < image_.state_count; ++s) {
      const std::string name = image_.states[s].name;
      if (image_.states[s].rate == TALWEG_RATE_ELEMENT) {
        for (std::size_t i = 0; i < setting_.tensors.size(); ++i)
          look_at_state(fmt::format("tensor {}, state {}", i, name), name, i);
      } else if (image_.states[s].rate <= TALWEG_RATE_GROUP) {
        look_at_scalar("state ", name);
      }
    }
    look_at_kept();
    look_at_views();
    for (std::uint32_t h = 0; h < image_.hyper_count; ++h)
      if (image_.hypers[h].bound != 0) look_at_scalar("bound hyper ", image_.hypers[h].name);
  }

  /// What a checkpoint would hold of tensors, matrices, rows and columns, and what has begun.
  void look_at_kept() {
    for (const optimizer::PersistentEntry& entry : optimizer_->persistent()) {
      if (entry.data == nullptr) continue;
      trace_.push_back(Section{name_ + ", " + entry.name, numbers_of(entry), {}, {}});
    }
  }

  /// Each is read out; then one is put in place of the parameters and taken back again.
  void look_at_views() {
    const std::vector<std::string> views = optimizer_->views();
    if (views.empty()) return;
    const std::string& shown = views[optimizer_->calls() % views.size()];
    std::vector<GuardedArray> expected;
    for (const std::string& view : views)
      for (std::size_t i = 0; i < setting_.tensors.size(); ++i) {
        GuardedArray out = array(i, stream_of(kParam, 0, 77));
        note("view " + view, optimizer_->read_view(view, i, out.data()));
        look_at(fmt::format("tensor {}, view {}", i, view), out.data(), length(i));
        if (view == shown) expected.push_back(std::move(out));
      }
    std::vector<std::string> before;
    for (std::size_t i = 0; i < setting_.tensors.size(); ++i)
      before.push_back(bytes(params_[i], i));
    note("swapping in", optimizer_->swap_in(shown));
    for (std::size_t i = 0; i < setting_.tensors.size(); ++i)
      if (bytes(params_[i], i) != bytes(expected[i], i))
        fault(fmt::format("tensor {} is not view {}, which was swapped in", i, shown));
    note("swapping out", optimizer_->swap_out());
    for (std::size_t i = 0; i < setting_.tensors.size(); ++i)
      if (bytes(params_[i], i) != before[i])
        fault(fmt::format("tensor {} is not as before view {} was swapped in", i, shown));
  }

  [[nodiscard]] std::string bytes(const GuardedArray& array, std::size_t tensor) const {
    return {static_cast<const char*>(array.data()), length(tensor) * (is_float32() ? 4 : 8)};
  }

  void fault(const std::string& what) { trace_.push_back({name_ + ": " + what, {}, {}, {}, true}); }

  void look_at_state(const std::string& what, const std::string& name, std::size_t tensor) {
    const auto start = optimizer_->state(name, tensor);
    if (start)
      look_at(what, *start, length(tensor));
    else  // another arm's
      trace_.push_back({name_ + ", " + what, {}, start.failure().message});
  }

  void look_at_scalar(const char* what, const std::string& name) {
    Section section{name_ + ", " + what + name, {}, {}, {}};
    for (std::uint32_t g = 0; g < setting_.groups; ++g) {
      const auto value = optimizer_->scalar(name, g);
      if (value)
        section.values.push_back(*value);
      else
        section.text += value.failure().message;
    }
    trace_.push_back(std::move(section));
  }

  const talweg_image& image_;
  const Setting& setting_;
  bool is_reference_;      // of a rule that reduces, the reference takes all elements too
  bool may_wait_ = false;  // for another gradient
  std::vector<GuardedArray> params_;
  std::optional<optimizer::Optimizer> optimizer_;
  std::string name_;
  Trace trace_;
};

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

Trace run_rule(const talweg_image& image, const Setting& setting,
               const std::shared_ptr<support::ThreadPool>& pool, bool is_reference) {
  return Run(image, setting, pool, is_reference).run();
}

Difference first_difference(const Trace& expected, const Trace& actual) {
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    const Section& a = expected[i];
    const Section& b = actual[i];
    for (const Section& section : {std::cref(a), std::cref(b)})
      if (section.is_wrong) return {section.name, 0};
    if (a.name != b.name || a.text != b.text)
      return {fmt::format("expected {}: `{}`, got {}: `{}`", a.name, a.text, b.name, b.text), 0};
    if (a.values.empty() != b.values.empty()) return {b.name + ": another number of values", 0};
    for (std::size_t at = 0; at < b.values.size(); ++at) {
      const double wanted = a.values[b.values.size() == a.values.size() ? at : at % kPeriod];
      if (!same_bits(wanted, b.values[at]))
        return {fmt::format("{}, element {}: expected {:a} ({}), got {:a} ({})", b.name, at, wanted,
                            wanted, b.values[at], b.values[at]),
                at};
    }
  }
  if (expected.size() != actual.size())
    return {fmt::format("expected {} results, got {}", expected.size(), actual.size()), 0};
  return {};
}

std::string describe_inputs(const talweg_image& image, const Setting& setting,
                            std::size_t element) {
  const auto shown = [&](double value) {
    return image.compute_dtype == TALWEG_F32 ? static_cast<double>(static_cast<float>(value))
                                             : value;
  };
  std::string text;
  for (std::size_t i = 0; i < setting.tensors.size(); ++i)
    text += fmt::format("  tensor {}, element {}: param {:a}\n", i, element,
                        shown(value_at(setting, stream_of(kParam, 0, i), element)));
  for (std::uint32_t step = 1; step <= setting.steps; ++step)
    for (std::size_t i = 0; i < setting.tensors.size(); ++i) {
      const std::uint64_t stream = stream_of(kGrad, step, i);
      text += fmt::format("  step {}, tensor {}: grad {:a}{}\n", step, i,
                          shown(value_at(setting, stream, element)),
                          chance_at(setting, stream, 7777, 12) ? " (absent)" : "");
    }
  return text;
}

}  // namespace talweg::tests
