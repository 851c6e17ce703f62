// A small driver of images; see bitcheck.h. It follows runtime/abi/talweg_abi.h, and folds what
// reductions fold as compiler/ir/sequence.h says: nothing here is the runtime's.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <thread>

#include "compiler/ir/sequence.h"
#include "tests/codegen/bitcheck.h"
#include "tests/ir/random_graph.h"

namespace talweg::tests {

namespace {

/// What nobody has written yet, and so must not matter.
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

builtins::Fold fold_of(std::uint8_t fold) {
  if (fold == TALWEG_FOLD_SUM) return builtins::Fold::Sum;
  return fold == TALWEG_FOLD_MIN ? builtins::Fold::Min : builtins::Fold::Max;
}

class Driver {
 public:
  Driver(const talweg_image& image, const StepSetting& setting)
      : image_(image), setting_(setting), random_(setting.seed) {
    make_tensors();
    make_chunks();
    make_scalars();
  }

  Outcome run() {
    for (std::uint32_t step = 1; step <= setting_.steps; ++step) run_step(step);
    Outcome outcome = trace_;
    outcome.insert(outcome.end(), tensor_states_.begin(), tensor_states_.end());
    for (std::size_t i = 0; i < arrays_.size(); ++i) {
      if (is_scratch(i % image_.stream_count)) continue;
      for (std::uint64_t at = 0; at < array_elements_[i]; ++at)
        outcome.push_back(load(arrays_[i].data(), at));
    }
    return outcome;
  }

 private:
  /// What the functions of one image's step or view work on.
  struct Kernels {
    Kernels(const talweg_kernels& given, std::size_t groups, std::size_t tensors,
            std::size_t chunks)
        : kernels(given),
          model_slots(given.model_slot_count),
          group_slots(given.group_slot_count * groups),
          tensor_slots(given.tensor_slot_count * tensors),
          model_reduced(given.reduction_count, kNothing),
          group_reduced(given.reduction_count * groups, kNothing),
          tensor_reduced(given.reduction_count * tensors, kNothing),
          group_partials(given.group_partial_count * groups, kNothing),
          tensor_partials(given.tensor_partial_count * tensors, kNothing),
          chunk_partials(given.chunk_partial_count * chunks, kNothing) {}
    const talweg_kernels& kernels;
    std::vector<talweg_slot> model_slots, group_slots, tensor_slots;
    std::vector<double> model_reduced, group_reduced, tensor_reduced;
    std::vector<double> group_partials, tensor_partials, chunk_partials;
    std::vector<std::uint32_t> routes;
    std::vector<std::uint8_t> in_domain;  // [tensor][domain]
    std::vector<void*> pointers;
  };

  [[nodiscard]] bool is_float32() const { return image_.compute_dtype == TALWEG_F32; }
  [[nodiscard]] types::ComputeType compute() const {
    return is_float32() ? types::ComputeType::F32 : types::ComputeType::F64;
  }
  [[nodiscard]] bool is_scratch(std::size_t stream) const {
    return stream >= image_.stream_count - image_.scratch_count;
  }
  [[nodiscard]] double load(const void* data, std::uint64_t at) const {
    return is_float32() ? static_cast<double>(static_cast<const float*>(data)[at])
                        : static_cast<const double*>(data)[at];
  }
  void store(void* data, std::uint64_t at, double number) const {
    if (is_float32())
      static_cast<float*>(data)[at] = static_cast<float>(number);
    else
      static_cast<double*>(data)[at] = number;
  }

  // ---- What is given ----

  void make_tensors() {
    const std::size_t element_bytes = is_float32() ? 4 : 8;
    for (const TensorSetting& tensor : setting_.tensors) {
      groups_.push_back(tensor.group);
      for (std::uint32_t stream = 0; stream < image_.stream_count; ++stream) {
        arrays_.emplace_back(tensor.elements * element_bytes, setting_.placement);
        array_elements_.push_back(tensor.elements);
        for (std::uint64_t at = 0; at < tensor.elements; ++at)
          store(arrays_.back().data(), at,
                is_scratch(stream) ? kNothing : random_.array_number(compute()));
        pointers_.push_back(arrays_.back().data());
      }
      place_tensor(tensor);
      for (std::uint32_t i = 0; i < image_.state_count; ++i)
        tensor_states_.push_back(random_.number());
      for (std::uint32_t i = 0; i < image_.input_count; ++i)
        tensor_inputs_.push_back(random_.number());
    }
    new_tensor_states_ = tensor_states_;
  }

  /// Facts of a made-up tensor; states that it does not keep have no address.
  void place_tensor(const TensorSetting& tensor) {
    const std::size_t first_fact = facts_.size();
    for (std::uint32_t i = 0; i < image_.fact_count; ++i) {
      const bool is_size = image_.facts[i].kind == TALWEG_FACT_SIZE;
      const bool is_rank = image_.facts[i].kind == TALWEG_FACT_RANK;
      const double truth = random_.chance(50) ? 1 : 0;
      facts_.push_back(is_size   ? static_cast<double>(tensor.elements)
                       : is_rank ? truth + (random_.chance(50) ? 1 : 0)
                                 : truth);
    }
    routes_.push_back(0);
    in_domain_.insert(in_domain_.end(), image_.domain_count, 1);
    if (image_.step.place == nullptr) return;
    std::vector<std::uint8_t> states(image_.state_count, 2), inputs(image_.input_count, 2),
        met(image_.requirement_count, 2);
    const talweg_placement placement{
        .facts = facts_.data() + first_fact,
        .route = &routes_.back(),
        .state_present = states.data(),
        .input_present = inputs.data(),
        .in_domain = in_domain_.data() + in_domain_.size() - image_.domain_count,
        .requirement_met = met.data()};
    image_.step.place(image_.step.self, &placement);
    void** row = pointers_.data() + pointers_.size() - image_.stream_count;
    for (std::uint32_t i = 0; i < image_.state_count; ++i)
      if (states[i] == 0 && image_.states[i].stream != UINT32_MAX)
        row[image_.states[i].stream] = nullptr;
    trace_.insert(trace_.end(), states.begin(), states.end());
    trace_.insert(trace_.end(), inputs.begin(), inputs.end());
    trace_.insert(trace_.end(), met.begin(), met.end());
  }

  void make_chunks() {
    for (std::uint32_t tensor = 0; tensor < setting_.tensors.size(); ++tensor) {
      first_chunks_.push_back(chunks_.size());
      for (std::uint64_t first = 0; first < setting_.tensors[tensor].elements;
           first += TALWEG_CHUNK_ELEMENTS) {
        const std::uint64_t left = setting_.tensors[tensor].elements - first;
        chunks_.push_back(
            {first,
             static_cast<std::uint32_t>(std::min<std::uint64_t>(left, TALWEG_CHUNK_ELEMENTS)),
             tensor});
      }
    }
    first_chunks_.push_back(chunks_.size());
  }

  void make_scalars() {
    for (std::uint32_t group = 0; group < setting_.group_count; ++group) {
      for (std::uint32_t i = 0; i < image_.hyper_count; ++i) {
        double value = random_.chance(50) ? image_.hypers[i].default_value : random_.number();
        if (image_.hypers[i].kind == TALWEG_HYPER_BOOL) value = random_.chance(50) ? 1 : 0;
        if (image_.hypers[i].rate == TALWEG_RATE_MODEL && group > 0) value = hypers_[i];
        hypers_.push_back(value);
      }
      for (std::uint32_t i = 0; i < image_.state_count; ++i)
        states_.push_back(image_.states[i].rate == TALWEG_RATE_MODEL && group > 0
                              ? states_[i]
                              : random_.number());
      for (std::uint32_t i = 0; i < image_.input_count; ++i) {
        const bool is_given = random_.chance(50);
        const double value = is_given ? random_.number() : 0;
        const bool is_model = image_.inputs[i].rate == TALWEG_RATE_MODEL;
        if (group == 0) given_.push_back(is_given ? 1 : 0);
        inputs_.push_back(group > 0 && (is_model || given_[i] == 0) ? inputs_[i] : value);
      }
    }
    new_states_ = states_;
    bound_.assign(hypers_.size(), 0);
  }

  // ---- Steps ----

  talweg_scalar_args scalar_args(Kernels& work, std::uint32_t group, std::uint32_t step) {
    talweg_scalar_args args{};
    args.step_number = step;
    args.call_number = step + 2;
    args.hypers = hypers_.data() + std::size_t{group} * image_.hyper_count;
    args.states = states_.data() + std::size_t{group} * image_.state_count;
    args.inputs = inputs_.data() + std::size_t{group} * image_.input_count;
    args.given = given_.data();
    args.new_states = new_states_.data() + std::size_t{group} * image_.state_count;
    args.bound = bound_.data() + std::size_t{group} * image_.hyper_count;
    args.model_slots = work.model_slots.data();
    args.needed = needed_.data() + std::size_t{group} * image_.input_count;
    args.outcome = &outcome_;
    args.regrad = &regrad_;
    args.kept = kept_.data();
    args.unbound = unbound_.data() + std::size_t{group} * image_.hyper_count;
    args.group_slots = work.group_slots.data() + std::size_t{group} * work.kernels.group_slot_count;
    args.reduced = work.group_reduced.data() + std::size_t{group} * work.kernels.reduction_count;
    args.partials =
        work.group_partials.data() + std::size_t{group} * work.kernels.group_partial_count;
    return args;
  }

  [[nodiscard]] bool takes_part(std::size_t tensor, std::uint32_t step) const {
    const TensorSetting& setting = setting_.tensors[tensor];
    return setting.has_gradient && setting.absent_in_step != step;
  }

  Kernels kernels_over_all(const talweg_kernels& kernels) {
    return {kernels, setting_.group_count, setting_.tensors.size(), chunks_.size()};
  }

  void run_step(std::uint32_t step) {
    needed_.assign(std::size_t{image_.input_count} * setting_.group_count, 1);
    outcome_ = TALWEG_COMPLETED;
    kept_.assign(image_.state_count, 1);
    unbound_.assign(hypers_.size(), 0);
    Kernels work = kernels_over_all(image_.step);
    work.routes = routes_;
    work.in_domain = in_domain_;
    work.pointers = pointers_;
    for (std::size_t tensor = 0; tensor < setting_.tensors.size(); ++tensor)
      if (!takes_part(tensor, step))
        work.pointers[tensor * image_.stream_count + TALWEG_STREAM_GRAD] = nullptr;
    run_phases(work, step);
    take_new_states();
    trace_.insert(trace_.end(), states_.begin(), states_.end());
    trace_.insert(trace_.end(), bound_.begin(), bound_.end());
    trace_.insert(trace_.end(), needed_.begin(), needed_.end());
    trace_.push_back(outcome_);
    trace_.insert(trace_.end(), kept_.begin(), kept_.end());
    trace_.insert(trace_.end(), unbound_.begin(), unbound_.end());
    for (std::uint32_t i = 0; i < image_.view_count; ++i) run_view(image_.views[i].kernels, step);
    if (step == 1 && image_.initial_states != nullptr)
      trace_initial_states(scalar_args(work, 0, step));
  }

  void run_phases(Kernels& work, std::uint32_t step) {
    std::vector<talweg_scalar_args> args;
    for (std::uint32_t group = 0; group < setting_.group_count; ++group)
      args.push_back(scalar_args(work, group, step));
    talweg_scalar_args model = args.front();
    model.group_slots = nullptr;
    model.partials = nullptr;
    model.reduced = work.model_reduced.data();
    talweg_pass_args pass = pass_args(work, args);
    void* const self = work.kernels.self;
    for (std::uint32_t i = 0; i < work.kernels.phase_count; ++i) {
      const talweg_phase& phase = work.kernels.phases[i];
      pass.phase = i;
      regrad_ = 0;
      for (std::uint32_t r = 0; r < work.kernels.reduction_count; ++r)
        if (work.kernels.reductions[r].phase == i) reduce(work, r);
      if (phase.model_scalars != nullptr) phase.model_scalars(self, &model);
      for (const talweg_scalar_args& group : args)
        if (phase.group_scalars != nullptr) phase.group_scalars(self, &group);
      if (phase.tensor_scalars != nullptr)
        in_threads(setting_.tensors.size(), [&](std::uint32_t begin, std::uint32_t end) {
          phase.tensor_scalars(self, &pass, begin, end);
        });
      if (phase.pass != nullptr)
        in_threads(chunks_.size(), [&](std::uint32_t begin, std::uint32_t end) {
          phase.pass(self, &pass, begin, end);
        });
      if (phase.says_regrad != 0 && regrad_ != 0) give_gradients(work);
    }
  }

  /// The step waits: what stands in param is seen, and the gradients that follow lie elsewhere.
  void give_gradients(Kernels& work) {
    for (std::size_t tensor = 0; tensor < setting_.tensors.size(); ++tensor) {
      const std::uint64_t elements = setting_.tensors[tensor].elements;
      void** streams = work.pointers.data() + tensor * image_.stream_count;
      for (std::uint64_t at = 0; at < elements; ++at)
        trace_.push_back(load(streams[TALWEG_STREAM_PARAM], at));
      GuardedArray& gradient =
          later_gradients_.emplace_back(elements * (is_float32() ? 4 : 8), setting_.placement);
      for (std::uint64_t at = 0; at < elements; ++at)
        store(gradient.data(), at, random_.array_number(compute()));
      if (streams[TALWEG_STREAM_GRAD] != nullptr) streams[TALWEG_STREAM_GRAD] = gradient.data();
    }
  }

  talweg_pass_args pass_args(Kernels& work, const std::vector<talweg_scalar_args>& groups) {
    talweg_pass_args args{};
    args.chunks = chunks_.data();
    args.pointers = work.pointers.data();
    args.tensor_groups = groups_.data();
    args.model_slots = work.model_slots.data();
    args.group_slots = work.group_slots.data();
    args.group_args = groups.data();
    args.tensor_routes = work.routes.data();
    args.tensor_facts = facts_.data();
    args.tensor_slots = work.tensor_slots.data();
    args.tensor_states = tensor_states_.data();
    args.new_tensor_states = new_tensor_states_.data();
    args.tensor_inputs = tensor_inputs_.data();
    args.tensor_reduced = work.tensor_reduced.data();
    args.tensor_partials = work.tensor_partials.data();
    args.chunk_partials = work.chunk_partials.data();
    args.chunk_count = chunks_.size();
    args.tensor_count = setting_.tensors.size();
    // Loops for data in memory too, where there is little of it.
    args.round_elements = setting_.seed % 2 == 0 ? std::uint64_t{1} << 40 : 0;
    return args;
  }

  /// Calls run(begin, end) for as many ranges as there are threads, at once.
  template <class Run>
  void in_threads(std::size_t count, Run run) {
    const auto edge = [&](std::uint32_t thread) {
      return static_cast<std::uint32_t>(std::uint64_t{count} * thread / setting_.threads);
    };
    std::vector<std::thread> threads;
    for (std::uint32_t i = 1; i < setting_.threads; ++i)
      threads.emplace_back([&, i] { run(edge(i), edge(i + 1)); });
    run(0, edge(1));
    for (std::thread& thread : threads) thread.join();
  }

  // ---- Reductions ----

  [[nodiscard]] bool ranges_over(const Kernels& work, const talweg_reduction_info& info,
                                 std::size_t tensor) const {
    return work.pointers[tensor * image_.stream_count + TALWEG_STREAM_GRAD] != nullptr &&
           (info.domain == UINT32_MAX ||
            work.in_domain[tensor * image_.domain_count + info.domain] != 0);
  }

  [[nodiscard]] double value_of_tensor(const Kernels& work, const talweg_reduction_info& info,
                                       std::size_t tensor) const {
    if (info.source == TALWEG_FROM_TENSORS)
      return info.counts != 0
                 ? 1
                 : work.tensor_partials[info.partial * setting_.tensors.size() + tensor];
    if (info.counts != 0) return static_cast<double>(setting_.tensors[tensor].elements);
    const double* partials = work.chunk_partials.data() + info.partial * chunks_.size();
    return ir::fold_sequence(fold_of(info.fold), {partials + first_chunks_[tensor],
                                                  partials + first_chunks_[tensor + 1]});
  }

  [[nodiscard]] double fold_groups(const Kernels& work, const talweg_reduction_info& info) const {
    const builtins::Fold fold = fold_of(info.fold);
    std::vector<double> values(setting_.group_count, ir::fold_start(fold));
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (!ranges_over(work, info, i)) continue;
      const std::size_t row = std::size_t{groups_[i]} * work.kernels.group_partial_count;
      values[groups_[i]] = info.counts != 0 ? 1 : work.group_partials[row + info.partial];
    }
    return ir::fold_sequence(fold, values);
  }

  void reduce(Kernels& work, std::uint32_t reduction) const {
    const talweg_reduction_info& info = work.kernels.reductions[reduction];
    const std::size_t columns = work.kernels.reduction_count;
    const builtins::Fold fold = fold_of(info.fold);
    // Of the tensors that pass(tensor), in their order.
    const auto folded = [&](auto pass) {
      std::vector<double> values(groups_.size(), ir::fold_start(fold));
      for (std::size_t i = 0; i < groups_.size(); ++i)
        if (pass(i) && ranges_over(work, info, i)) values[i] = value_of_tensor(work, info, i);
      return ir::fold_sequence(fold, values);
    };
    for (std::size_t i = 0; i < groups_.size() && info.rate == TALWEG_RATE_TENSOR; ++i)
      work.tensor_reduced[i * columns + reduction] =
          ranges_over(work, info, i) ? value_of_tensor(work, info, i) : ir::fold_start(fold);
    for (std::uint32_t i = 0; i < setting_.group_count && info.rate == TALWEG_RATE_GROUP; ++i)
      work.group_reduced[i * columns + reduction] =
          folded([&](std::size_t tensor) { return groups_[tensor] == i; });
    if (info.rate != TALWEG_RATE_MODEL) return;
    const double value = info.source == TALWEG_FROM_GROUPS
                             ? fold_groups(work, info)
                             : folded([](std::size_t) { return true; });
    work.model_reduced[reduction] = value;
    for (std::uint32_t i = 0; i < setting_.group_count; ++i)
      work.group_reduced[i * columns + reduction] = value;
  }

  // ---- Views and states ----

  void place_in_view(const talweg_kernels& view, Kernels& work) {
    work.routes.assign(setting_.tensors.size(), 0);
    work.in_domain.assign(in_domain_.size(), 2);
    std::vector<std::uint8_t> states(image_.state_count), inputs(image_.input_count),
        met(image_.requirement_count);
    for (std::size_t tensor = 0; tensor < groups_.size() && view.place != nullptr; ++tensor) {
      const talweg_placement placement{
          .facts = facts_.data() + tensor * image_.fact_count,
          .route = &work.routes[tensor],
          .state_present = states.data(),
          .input_present = inputs.data(),
          .in_domain = work.in_domain.data() + tensor * image_.domain_count,
          .requirement_met = met.data()};
      view.place(view.self, &placement);
    }
  }

  /// Computes a view where a copy of param is, with guards around it.
  void run_view(const talweg_kernels& view, std::uint32_t step) {
    Kernels work = kernels_over_all(view);
    place_in_view(view, work);
    work.pointers = pointers_;
    std::deque<GuardedArray> copies;
    for (std::size_t tensor = 0; tensor < setting_.tensors.size(); ++tensor) {
      const std::size_t row = tensor * image_.stream_count;
      const std::size_t bytes = setting_.tensors[tensor].elements * (is_float32() ? 4 : 8);
      copies.emplace_back(bytes, setting_.placement);
      if (bytes > 0) std::memcpy(copies.back().data(), pointers_[row], bytes);
      work.pointers[row + TALWEG_STREAM_PARAM] = copies.back().data();
      work.pointers[row + TALWEG_STREAM_GRAD] = pointers_[row];
    }
    run_phases(work, step);
    for (std::size_t tensor = 0; tensor < copies.size(); ++tensor)
      for (std::uint64_t at = 0; at < setting_.tensors[tensor].elements; ++at)
        trace_.push_back(load(copies[tensor].data(), at));
  }

  /// Model states were stored in the row of the first group; every group sees them.
  void take_new_states() {
    for (std::uint32_t group = 0; group < setting_.group_count; ++group)
      for (std::uint32_t i = 0; i < image_.state_count; ++i) {
        const bool is_model = image_.states[i].rate == TALWEG_RATE_MODEL;
        const std::size_t row = std::size_t{is_model ? 0 : group} * image_.state_count;
        states_[std::size_t{group} * image_.state_count + i] = new_states_[row + i];
      }
    tensor_states_ = new_tensor_states_;
  }

  void trace_initial_states(talweg_scalar_args args) {
    std::vector<double> initial(image_.state_count, -1);
    args.new_states = initial.data();
    image_.initial_states(image_.step.self, &args);
    for (std::uint32_t i = 0; i < image_.state_count; ++i)
      if (image_.states[i].initial == TALWEG_INITIAL_SCALAR) trace_.push_back(initial[i]);
  }

  const talweg_image& image_;
  const StepSetting& setting_;
  Random random_;
  std::vector<GuardedArray> arrays_;
  std::deque<GuardedArray> later_gradients_;
  std::uint32_t regrad_ = 0;
  std::vector<std::uint64_t> array_elements_;
  std::vector<void*> pointers_;
  std::vector<std::uint32_t> groups_, routes_;
  std::vector<std::uint8_t> in_domain_;  // [tensor][domain]
  std::vector<double> facts_, tensor_states_, new_tensor_states_, tensor_inputs_;
  std::vector<talweg_chunk> chunks_;
  std::vector<std::size_t> first_chunks_;  // by tensor, and the end
  std::vector<double> hypers_, states_, new_states_, inputs_, bound_;
  std::vector<std::uint8_t> given_, needed_, kept_, unbound_;
  std::uint32_t outcome_ = TALWEG_COMPLETED;
  Outcome trace_;
};

}  // namespace

Outcome run_steps(const talweg_image& image, const StepSetting& setting) {
  return Driver(image, setting).run();
}

}  // namespace talweg::tests
