// A small driver of images; see bitcheck.h. It follows runtime/abi/talweg_abi.h and nothing else.
#include "tests/codegen/bitcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <deque>
#include <thread>

#include "compiler/targets/target.h"
#include "tests/ir/random_graph.h"

namespace talweg::tests {

namespace {

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
    for (std::size_t i = 0; i < arrays_.size(); ++i)
      for (std::uint64_t at = 0; at < array_elements_[i]; ++at)
        outcome.push_back(load(arrays_[i].data(), at));
    return outcome;
  }

 private:
  [[nodiscard]] bool is_float32() const { return image_.compute_dtype == TALWEG_F32; }
  [[nodiscard]] types::ComputeType compute() const {
    return is_float32() ? types::ComputeType::F32 : types::ComputeType::F64;
  }
  [[nodiscard]] double load(const void* data, std::uint64_t at) const {
    return is_float32() ? static_cast<double>(static_cast<const float*>(data)[at])
                        : static_cast<const double*>(data)[at];
  }
  void fill(void* data, std::uint64_t elements) {
    for (std::uint64_t at = 0; at < elements; ++at) {
      const double number = random_.array_number(compute());
      if (is_float32())
        static_cast<float*>(data)[at] = static_cast<float>(number);
      else
        static_cast<double*>(data)[at] = number;
    }
  }

  void make_tensors() {
    const std::size_t element_bytes = is_float32() ? 4 : 8;
    for (const TensorSetting& tensor : setting_.tensors) {
      groups_.push_back(tensor.group);
      for (std::uint32_t stream = 0; stream < image_.stream_count; ++stream) {
        arrays_.emplace_back(tensor.elements * element_bytes, setting_.placement);
        array_elements_.push_back(tensor.elements);
        fill(arrays_.back().data(), tensor.elements);
        const bool is_left_out = stream == TALWEG_STREAM_GRAD && !tensor.has_gradient;
        pointers_.push_back(is_left_out ? nullptr : arrays_.back().data());
      }
      place_tensor(tensor);
    }
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
    if (image_.place == nullptr) return;
    std::vector<std::uint8_t> states(image_.state_count, 2), inputs(image_.input_count, 2);
    const talweg_placement placement{facts_.data() + first_fact, &routes_.back(), states.data(),
                                     inputs.data()};
    image_.place(image_.self, &placement);
    void** row = pointers_.data() + pointers_.size() - image_.stream_count;
    for (std::uint32_t i = 0; i < image_.state_count; ++i)
      if (states[i] == 0 && image_.states[i].stream != UINT32_MAX)
        row[image_.states[i].stream] = nullptr;
    trace_.insert(trace_.end(), states.begin(), states.end());
    trace_.insert(trace_.end(), inputs.begin(), inputs.end());
  }

  void make_chunks() {
    for (std::uint32_t tensor = 0; tensor < setting_.tensors.size(); ++tensor)
      for (std::uint64_t first = 0; first < setting_.tensors[tensor].elements;
           first += TALWEG_CHUNK_ELEMENTS) {
        const std::uint64_t left = setting_.tensors[tensor].elements - first;
        chunks_.push_back(
            {first,
             static_cast<std::uint32_t>(std::min<std::uint64_t>(left, TALWEG_CHUNK_ELEMENTS)),
             tensor});
      }
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
    }
    for (std::uint32_t i = 0; i < image_.input_count; ++i) {
      given_.push_back(random_.chance(50) ? 1 : 0);
      inputs_.push_back(given_.back() != 0 ? random_.number() : 0);
    }
    new_states_ = states_;
    bound_.assign(hypers_.size(), 0);
    model_slots_.assign(image_.model_slot_count, {});
    group_slots_.assign(std::size_t{image_.group_slot_count} * setting_.group_count, {});
  }

  talweg_scalar_args scalar_args(std::uint32_t group, std::uint32_t step) {
    talweg_scalar_args args{};
    args.step_number = step;
    args.call_number = step + 2;
    args.hypers = hypers_.data() + std::size_t{group} * image_.hyper_count;
    args.states = states_.data() + std::size_t{group} * image_.state_count;
    args.inputs = inputs_.data();
    args.given = given_.data();
    args.new_states = new_states_.data() + std::size_t{group} * image_.state_count;
    args.bound = bound_.data() + std::size_t{group} * image_.hyper_count;
    args.model_slots = model_slots_.data();
    args.needed = needed_.data() + std::size_t{group} * image_.input_count;
    args.outcome = &outcome_;
    args.kept = kept_.data();
    args.unbound = unbound_.data() + std::size_t{group} * image_.hyper_count;
    args.group_slots = group_slots_.data() + std::size_t{group} * image_.group_slot_count;
    return args;
  }

  void run_step(std::uint32_t step) {
    needed_.assign(std::size_t{image_.input_count} * setting_.group_count, 1);
    outcome_ = TALWEG_COMPLETED;
    kept_.assign(image_.state_count, 1);
    unbound_.assign(hypers_.size(), 0);
    std::vector<talweg_scalar_args> args;
    for (std::uint32_t group = 0; group < setting_.group_count; ++group)
      args.push_back(scalar_args(group, step));
    image_.model_scalars(image_.self, args.data());
    for (const talweg_scalar_args& group : args) image_.group_scalars(image_.self, &group);
    const talweg_pass_args pass{chunks_.data(),      pointers_.data(),    groups_.data(),
                                model_slots_.data(), group_slots_.data(), args.data(),
                                routes_.data(),      facts_.data()};
    for (std::uint32_t i = 0; i < image_.pass_count; ++i)
      run_pass(image_.passes[i], image_.self, pass);
    take_new_states();
    trace_.insert(trace_.end(), states_.begin(), states_.end());
    trace_.insert(trace_.end(), bound_.begin(), bound_.end());
    trace_.insert(trace_.end(), needed_.begin(), needed_.end());
    trace_.push_back(outcome_);
    trace_.insert(trace_.end(), kept_.begin(), kept_.end());
    trace_.insert(trace_.end(), unbound_.begin(), unbound_.end());
    for (std::uint32_t i = 0; i < image_.view_count; ++i) run_view(image_.views[i].kernels, step);
    if (step == 1) trace_initial_states(args.front());
  }

  std::vector<std::uint32_t> view_routes(const talweg_kernels& view) {
    std::vector<std::uint32_t> routes(setting_.tensors.size());
    std::vector<std::uint8_t> states(image_.state_count), inputs(image_.input_count);
    for (std::size_t tensor = 0; tensor < routes.size() && view.place != nullptr; ++tensor) {
      const talweg_placement placement{facts_.data() + tensor * image_.fact_count, &routes[tensor],
                                       states.data(), inputs.data()};
      view.place(view.self, &placement);
    }
    return routes;
  }

  /// Computes a view where a copy of param is, with guards around it.
  void run_view(const talweg_kernels& view, std::uint32_t step) {
    std::vector<talweg_slot> model_slots(view.model_slot_count);
    std::vector<talweg_slot> group_slots(std::size_t{view.group_slot_count} * setting_.group_count);
    std::vector<talweg_scalar_args> args;
    for (std::uint32_t group = 0; group < setting_.group_count; ++group) {
      args.push_back(scalar_args(group, step));
      args.back().model_slots = model_slots.data();
      args.back().group_slots = group_slots.data() + std::size_t{group} * view.group_slot_count;
    }
    view.model_scalars(view.self, args.data());
    for (const talweg_scalar_args& group : args) view.group_scalars(view.self, &group);

    std::vector<void*> pointers = pointers_;
    std::deque<GuardedArray> copies;
    for (std::size_t tensor = 0; tensor < setting_.tensors.size(); ++tensor) {
      const std::size_t row = tensor * image_.stream_count;
      const std::size_t bytes = setting_.tensors[tensor].elements * (is_float32() ? 4 : 8);
      copies.emplace_back(bytes, setting_.placement);
      if (bytes > 0) std::memcpy(copies.back().data(), pointers_[row], bytes);
      pointers[row + TALWEG_STREAM_PARAM] = copies.back().data();
      pointers[row + TALWEG_STREAM_GRAD] = pointers_[row];
    }
    std::vector<std::uint32_t> routes = view_routes(view);
    const talweg_pass_args pass{chunks_.data(),     pointers.data(),    groups_.data(),
                                model_slots.data(), group_slots.data(), args.data(),
                                routes.data(),      facts_.data()};
    for (std::uint32_t i = 0; i < view.pass_count; ++i) run_pass(view.passes[i], view.self, pass);
    for (std::size_t tensor = 0; tensor < copies.size(); ++tensor)
      for (std::uint64_t at = 0; at < setting_.tensors[tensor].elements; ++at)
        trace_.push_back(load(copies[tensor].data(), at));
  }

  void run_pass(const talweg_pass_info& pass, void* self, const talweg_pass_args& args) {
    const auto count = static_cast<std::uint32_t>(chunks_.size());
    const auto edge = [&](std::uint32_t thread) {
      return static_cast<std::uint32_t>(std::uint64_t{count} * thread / setting_.threads);
    };
    std::vector<std::thread> threads;
    for (std::uint32_t i = 1; i < setting_.threads; ++i)
      threads.emplace_back([&, i] { pass.run(self, &args, edge(i), edge(i + 1)); });
    pass.run(self, &args, 0, edge(1));
    for (std::thread& thread : threads) thread.join();
  }

  /// Model states were stored in the row of the first group; every group sees them.
  void take_new_states() {
    for (std::uint32_t group = 0; group < setting_.group_count; ++group)
      for (std::uint32_t i = 0; i < image_.state_count; ++i) {
        const bool is_model = image_.states[i].rate == TALWEG_RATE_MODEL;
        const std::size_t row = std::size_t{is_model ? 0 : group} * image_.state_count;
        states_[std::size_t{group} * image_.state_count + i] = new_states_[row + i];
      }
  }

  void trace_initial_states(talweg_scalar_args args) {
    std::vector<double> initial(image_.state_count, -1);
    args.new_states = initial.data();
    image_.initial_states(image_.self, &args);
    for (std::uint32_t i = 0; i < image_.state_count; ++i)
      if (image_.states[i].initial == TALWEG_INITIAL_SCALAR) trace_.push_back(initial[i]);
  }

  const talweg_image& image_;
  const StepSetting& setting_;
  Random random_;
  std::vector<GuardedArray> arrays_;
  std::vector<std::uint64_t> array_elements_;
  std::vector<void*> pointers_;
  std::vector<std::uint32_t> groups_, routes_;
  std::vector<double> facts_;
  std::vector<talweg_chunk> chunks_;
  std::vector<double> hypers_, states_, new_states_, inputs_, bound_;
  std::vector<std::uint8_t> given_, needed_, kept_, unbound_;
  std::uint32_t outcome_ = TALWEG_COMPLETED;
  std::vector<talweg_slot> model_slots_, group_slots_;
  Outcome trace_;
};

}  // namespace

Outcome run_steps(const talweg_image& image, const StepSetting& setting) {
  return Driver(image, setting).run();
}

std::string first_difference(const Outcome& expected, const Outcome& actual) {
  if (expected.size() != actual.size())
    return fmt::format("{} values against {}", expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool both_nan = std::isnan(expected[i]) && std::isnan(actual[i]);
    if (both_nan ||
        std::bit_cast<std::uint64_t>(expected[i]) == std::bit_cast<std::uint64_t>(actual[i]))
      continue;
    return fmt::format("value {} of {}: expected {:a} ({}), got {:a} ({})", i, expected.size(),
                       expected[i], expected[i], actual[i], actual[i]);
  }
  return {};
}

std::vector<std::string> isas_here() {
  std::vector<std::string> names;
  for (const targets::Target* target : targets::all_targets())
    if (target->runs_here()) names.emplace_back(target->name());
  return names;
}

std::shared_ptr<driver::Program> compile_for(const ir::Graph& graph, types::ComputeType compute,
                                             const std::string& isa) {
  driver::CompileOptions options;
  options.compute = compute;
  options.isa = isa;
  options.use_cache = false;
  auto program = driver::compile(graph, options);
  INFO((program.ok() ? std::string() : program.failure().message));
  REQUIRE(program.ok());
  return *program;
}

std::vector<std::shared_ptr<driver::Program>> on_all_targets(const ir::Graph& graph) {
  constexpr auto kCompute = types::ComputeType::F64;
  std::vector<std::shared_ptr<driver::Program>> programs = {
      driver::make_interpreter(graph, kCompute)};
  for (const std::string& isa : isas_here()) programs.push_back(compile_for(graph, kCompute, isa));
  return programs;
}

void require_same_bits(const ir::Graph& graph, const std::vector<StepSetting>& settings,
                       const std::string& what) {
  for (const auto compute : {types::ComputeType::F32, types::ComputeType::F64}) {
    const auto interpreter = driver::make_interpreter(graph, compute);
    std::vector<Outcome> expected;
    for (const StepSetting& setting : settings)
      expected.push_back(run_steps(interpreter->image(), setting));
    for (const std::string& isa : isas_here()) {
      const auto program = compile_for(graph, compute, isa);
      for (std::size_t i = 0; i < settings.size(); ++i) {
        const std::string difference =
            first_difference(expected[i], run_steps(program->image(), settings[i]));
        if (!difference.empty())
          FAIL(fmt::format("{}, {}, {}, setting {}: {}", what, to_text(compute), isa, i,
                           difference));
      }
    }
  }
  SUCCEED();
}

}  // namespace talweg::tests
