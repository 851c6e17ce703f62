// talweg::Optimizer: tensors and a rule, stepped. A part of talweg/talweg.hpp.
#ifndef TALWEG_OPTIMIZER_HPP
#define TALWEG_OPTIMIZER_HPP

#include <iterator>
#include <system_error>

#include "talweg/files.hpp"
#include "talweg/talweg.hpp"

namespace talweg {

/// One parameter tensor, row-major: {"w", {64, 32}, w.data()}.
struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  Elements param;  // yours; must outlive the optimizer
  std::uint32_t group = 0;
  std::vector<std::string> tags = {};
  talweg_split split = TALWEG_SPLIT_BY_RULE;
  std::uint32_t split_at = 0, split_to = 0;
};

struct Options {
  std::uint32_t groups = 1;
  /// Of a pool that the optimizer starts; 1: all runs on the calling thread. Never changes a bit.
  std::uint32_t threads = 1;
  /// A loop of yours in the pool's place, which is told of `threads` tasks.
  talweg_parallel_for parallel_for = nullptr;
  void* parallel_context = nullptr;
  /// On an NVIDIA GPU, where this says (begin with `talweg_cuda cuda{}`): parameters, gradients and
  /// inputs of elements, rows and columns are addresses there. Threads are not looked at.
  const talweg_cuda* cuda = nullptr;
};

enum class Outcome {
  Completed = TALWEG_COMPLETED,
  Held = TALWEG_HELD,
  Skipped = TALWEG_SKIPPED,
  Regrad = TALWEG_REGRAD,  // compute gradients at the parameters as they are, and step again
};

/// A state of the optimizer, which may be read and written in place.
class State {
 public:
  explicit State(const talweg_state& state) : state_(state) {}
  [[nodiscard]] std::string name() const { return state_.name; }
  /// Empty for a state of a group or of the model.
  [[nodiscard]] std::string tensor() const { return state_.tensor ? state_.tensor : ""; }
  [[nodiscard]] std::vector<std::uint64_t> shape() const {
    return {state_.shape, state_.shape + state_.rank};
  }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(state_.elements); }
  /// Whether its elements are in the memory of a GPU.
  [[nodiscard]] bool on_device() const { return state_.on_device != 0; }
  /// Its elements, if they are of that type; else null.
  template <class T>
  [[nodiscard]] T* data() const {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "float or double");
    return state_.element_bytes == sizeof(T) ? static_cast<T*>(state_.data) : nullptr;
  }
  [[nodiscard]] const talweg_state& raw() const { return state_; }

 private:
  talweg_state state_;
};

namespace detail {

inline std::unique_ptr<Pool> start_pool(std::uint32_t threads) {
  try {
    return std::make_unique<Pool>(threads);
  } catch (const std::system_error& error) {
    throw Error(TALWEG_SYSTEM, "SYSTEM",
                "cannot start " + std::to_string(threads) + " threads: " + error.what());
  }
}

/// What an optimizer and its views share.
struct Core {
  Core(Rule of, std::size_t tensors, std::uint32_t group_count)
      : rule(std::move(of)),
        functions(rule.functions()),
        groups(group_count == 0 ? 1 : group_count),
        gradients(tensors) {}
  ~Core() { functions->destroy(optimizer); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// What was given for an input: numbers, or an array a tensor.
  struct Given {
    std::vector<double> numbers;
    std::vector<const void*> arrays;
  };

  Rule rule;
  const talweg_functions* functions;
  std::size_t groups;
  std::unique_ptr<Pool> pool;
  std::vector<void*> gradients;
  std::vector<talweg_part> input_parts;
  std::vector<Given> given;
  std::vector<const void*> inputs;
  talweg_optimizer* optimizer = nullptr;
};

}  // namespace detail

/// While it lives, a view (such as an average) stands in for the parameters, which are then put
/// back byte for byte. Meanwhile steps are refused.
class View {
 public:
  View(std::shared_ptr<detail::Core> core, const char* name)
      : core_(std::move(core)),
        memory_(static_cast<std::size_t>(core_->functions->swap_bytes(core_->optimizer)) /
                    sizeof(std::max_align_t) +
                1) {
    detail::call(core_->functions, core_->functions->swap_in, core_->optimizer, name,
                 memory_.data());
  }
  View(View&&) noexcept = default;
  View& operator=(View&& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~View() {
    if (core_) core_->functions->swap_out(core_->optimizer, nullptr);
  }

 private:
  std::shared_ptr<detail::Core> core_;  // null: moved from
  std::vector<std::max_align_t> memory_;
};

/// One that was moved from may be assigned to or destroyed; all else throws.
class Optimizer {
 public:
  Optimizer(Rule rule, const std::vector<Tensor>& tensors, const Options& options = {});
  // A copy would step the same parameters and states.
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  Optimizer(Optimizer&&) noexcept = default;
  Optimizer& operator=(Optimizer&&) noexcept = default;
  ~Optimizer() = default;

  /// One step, with a gradient for each tensor; null: the tensor is left out. Allocates nothing.
  Outcome step(std::initializer_list<ConstElements> gradients) {
    return step_all(gradients.begin(), gradients.end());
  }
  /// The same with a vector, array, ... of pointers.
  template <class Pointers>
  Outcome step(const Pointers& gradients) {
    return step_all(std::begin(gradients), std::end(gradients));
  }
  /// For rules that read no gradient.
  Outcome step() { return run(nullptr); }
  [[nodiscard]] bool is_waiting() const { return functions().is_waiting(core().optimizer) != 0; }
  /// Ends a step that waits for another gradient, as if it had not begun.
  void abandon() { functions().abandon(core().optimizer); }

  /// What the rule reads besides gradients; holds until it is given anew. A number, the numbers of
  /// all groups or tensors, or an array a tensor.
  void give(const std::string& input, double value) { keep_numbers(input, &value, 1); }
  void give_numbers(const std::string& input, const std::vector<double>& values) {
    keep_numbers(input, values.data(), values.size());
  }
  void give_arrays(const std::string& input, const std::vector<ConstElements>& arrays);
  void take_back(const std::string& input) { core().inputs[input_index(input)] = nullptr; }

  static constexpr std::uint32_t kAllGroups = TALWEG_ALL_GROUPS;
  void set(const std::string& hyper, double value, std::uint32_t group = kAllGroups) {
    detail::call(&functions(), functions().set_hyper, core().optimizer, hyper.c_str(), group,
                 value);
  }
  [[nodiscard]] double get(const std::string& hyper, std::uint32_t group = 0) const {
    double value = 0;
    detail::call(&functions(), functions().get_hyper, core().optimizer, hyper.c_str(), group,
                 &value);
    return value;
  }

  /// Completed steps, and calls: those that were held or skipped too.
  [[nodiscard]] std::uint64_t steps() const { return functions().steps(core().optimizer); }
  [[nodiscard]] std::uint64_t calls() const { return functions().calls(core().optimizer); }
  /// The instruction set that it runs with.
  [[nodiscard]] std::string cpu() const { return functions().cpu(core().optimizer); }
  /// Back to the moment of creation, except for hypers and parameters.
  void reset() { detail::call(&functions(), functions().reset, core().optimizer); }

  /// Of an optimizer on a GPU: into which stream its work goes, behind that in the one before.
  void set_stream(CUstream_st* stream) {
    detail::call(&functions(), functions().cuda_set_stream, core().optimizer, stream);
  }
  /// Hypers into the stream, for a graph that is replayed; else the next step brings them.
  void send_hypers() { detail::call(&functions(), functions().cuda_send_hypers, core().optimizer); }
  /// Numbers in the GPU's memory: whether a step is to be left out, and what gradients were
  /// multiplied by; null: neither.
  void set_scaling(const float* found_inf, const float* gradient_scale) {
    detail::call(&functions(), functions().cuda_set_scaling, core().optimizer, found_inf,
                 gradient_scale);
  }
  /// Numbers in the GPU's memory in place of an input that is one number, or one of each group or
  /// tensor: steps read them there, whatever is given. null: what is given counts again.
  void set_input(const std::string& input, const float* numbers) {
    set_input(input, numbers, sizeof *numbers);
  }
  void set_input(const std::string& input, const double* numbers) {
    set_input(input, numbers, sizeof *numbers);
  }
  void set_input(const std::string& input, std::nullptr_t) {
    set_input(input, nullptr, sizeof(double));
  }
  /// Waits for all steps; how the last one ended. Throws what the GPU has found wrong in one.
  Outcome wait() {
    talweg_outcome outcome = TALWEG_COMPLETED;
    detail::call(&functions(), functions().cuda_wait, core().optimizer, &outcome);
    return static_cast<Outcome>(outcome);
  }

  /// All of them: counters, then states in the order of the rule.
  [[nodiscard]] std::vector<State> states() const {
    std::vector<State> all;
    talweg_state state{};
    while (functions().next_state(core().optimizer, &state) != 0) all.emplace_back(state);
    return all;
  }
  /// One by its name, of a tensor or group by its number.
  [[nodiscard]] State state(const std::string& name, std::uint32_t index = 0) const {
    talweg_state state{};
    detail::call(&functions(), functions().find_state, core().optimizer, name.c_str(), index,
                 &state);
    return State(state);
  }

  /// A view into memory of yours, an array a tensor; null: not of this one.
  void read_view(const std::string& view, const std::vector<Elements>& destinations);
  /// A view in the parameters' place, for as long as what is returned lives.
  [[nodiscard]] View swap_in(const std::string& view) {
    (void)core();
    return {core_, view.c_str()};
  }

  /// All states, in the safetensors format. With parameters and hypers they decide later steps.
  [[nodiscard]] std::vector<std::byte> save() const {
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(functions().saved_bytes(core().optimizer)));
    detail::call(&functions(), functions().save, core().optimizer, bytes.data(), bytes.size());
    return bytes;
  }
  void load(const std::vector<std::byte>& bytes) {
    detail::call(&functions(), functions().load, core().optimizer, bytes.data(), bytes.size());
  }
  /// Written whole or not at all; into what is no regular file, as it comes.
  void save_file(const std::string& path) const { detail::write_file(path, save()); }
  void load_file(const std::string& path) { load(detail::read_file(path)); }

  [[nodiscard]] const Rule& rule() const { return core().rule; }

 private:
  [[nodiscard]] detail::Core& core() const {
    if (!core_) detail::refuse_moved("the optimizer");
    return *core_;
  }
  [[nodiscard]] const talweg_functions& functions() const { return *core().functions; }
  [[nodiscard]] std::uint32_t element_bytes() const { return core().rule.get()->element_bytes; }
  [[nodiscard]] std::string type_name() const { return element_bytes() == 4 ? "float" : "double"; }
  [[noreturn]] void refuse(const std::string& message) const {
    detail::refuse(&functions(), message);
  }
  [[nodiscard]] std::size_t input_index(const std::string& name) const;
  void set_input(const std::string& input, const void* numbers, std::uint32_t bytes_each) {
    detail::call(&functions(), functions().cuda_set_input, core().optimizer, input.c_str(), numbers,
                 bytes_each);
  }
  void keep_numbers(const std::string& name, const double* values, std::size_t count);

  Outcome run(void* const* gradients) {
    talweg_outcome outcome = TALWEG_COMPLETED;
    detail::call(&functions(), functions().step, core().optimizer, gradients,
                 static_cast<const void* const*>(core().inputs.data()), &outcome);
    return static_cast<Outcome>(outcome);
  }
  template <class Iterator>
  Outcome step_all(Iterator begin, Iterator end) {
    const auto count = static_cast<std::size_t>(std::distance(begin, end));
    std::vector<void*>& gradients = core().gradients;
    if (count != gradients.size())
      refuse(std::to_string(count) + " gradients are given for " +
             std::to_string(gradients.size()) + " tensors");
    for (std::size_t i = 0; i < count; ++i, ++begin) {
      const ConstElements gradient(*begin);
      if (!gradient.fits(element_bytes()))
        refuse("gradient " + std::to_string(i) + " is not of " + type_name());
      gradients[i] = const_cast<void*>(gradient.data());  // the interface does not write it
    }
    return run(gradients.data());
  }

  std::shared_ptr<detail::Core> core_;
};

inline Optimizer::Optimizer(Rule rule, const std::vector<Tensor>& tensors, const Options& options)
    : core_(std::make_shared<detail::Core>(std::move(rule), tensors.size(), options.groups)) {
  core().input_parts = core().rule.inputs();
  core().given.resize(core().input_parts.size());
  core().inputs.resize(core().input_parts.size());
  std::vector<std::vector<const char*>> tags(tensors.size());
  std::vector<talweg_tensor> raw(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i];
    if (!tensor.param.fits(element_bytes()))
      refuse("the parameters of tensor `" + tensor.name + "` are not of " + type_name() +
             ", as the rule has it");
    for (const std::string& tag : tensor.tags) tags[i].push_back(tag.c_str());
    raw[i].name = tensor.name.c_str();
    raw[i].shape = tensor.shape.data();
    raw[i].rank = static_cast<std::uint32_t>(tensor.shape.size());
    raw[i].param = tensor.param.data();
    raw[i].tags = tags[i].data();
    raw[i].tag_count = static_cast<std::uint32_t>(tags[i].size());
    raw[i].group = tensor.group;
    raw[i].split = tensor.split;
    raw[i].split_at = tensor.split_at;
    raw[i].split_to = tensor.split_to;
  }
  talweg_spec spec{};
  spec.interface_version = TALWEG_INTERFACE;
  spec.tensors = raw.data();
  spec.tensor_count = static_cast<std::uint32_t>(raw.size());
  spec.group_count = options.groups;
  spec.thread_count = options.threads;
  spec.parallel_for = options.parallel_for;
  spec.parallel_context = options.parallel_context;
  if (options.cuda != nullptr) {
    detail::call(&functions(), functions().cuda_create, core().rule.get(), &spec, options.cuda,
                 &core().optimizer);
    return;
  }
  if (options.parallel_for == nullptr && options.threads > 1) {
    talweg_sizes sizes{};  // a spec that is refused starts no threads
    detail::call(&functions(), functions().measure, core().rule.get(), &spec, &sizes);
    core().pool = detail::start_pool(options.threads);
    spec.parallel_for = &Pool::run;
    spec.parallel_context = core().pool.get();
  }
  detail::call(&functions(), functions().create, core().rule.get(), &spec, &core().optimizer);
}

inline std::size_t Optimizer::input_index(const std::string& name) const {
  for (std::size_t i = 0; i < core().input_parts.size(); ++i)
    if (name == core().input_parts[i].name) return i;
  std::string names;
  for (const talweg_part& part : core().input_parts)
    names += (names.empty() ? "; the rule has " : ", ") + std::string(part.name);
  throw Error(TALWEG_UNKNOWN_NAME, functions().status_text(TALWEG_UNKNOWN_NAME),
              "there is no input `" + name + "`" + (names.empty() ? "; the rule has none" : names));
}

inline void Optimizer::keep_numbers(const std::string& name, const double* values,
                                    std::size_t count) {
  const std::size_t index = input_index(name);
  const talweg_rate rate = core().input_parts[index].rate;
  if (rate > TALWEG_OF_TENSOR) refuse("input `" + name + "` takes an array for each tensor");
  if (rate == TALWEG_OF_MODEL && count != 1) refuse("input `" + name + "` is a single number");
  if (rate == TALWEG_OF_GROUP && count != core().groups)
    refuse("input `" + name + "` takes a number for each group");
  if (rate == TALWEG_OF_TENSOR && count != core().gradients.size())
    refuse("input `" + name + "` takes a number for each tensor");
  core().given[index].numbers.assign(values, values + count);
  core().inputs[index] = core().given[index].numbers.data();
}

inline void Optimizer::give_arrays(const std::string& input,
                                   const std::vector<ConstElements>& arrays) {
  const std::size_t index = input_index(input);
  const talweg_part& part = core().input_parts[index];
  if (part.rate <= TALWEG_OF_TENSOR) refuse("input `" + input + "` takes numbers");
  if (arrays.size() != core().gradients.size())
    refuse("input `" + input + "` takes an array for each tensor");
  std::vector<const void*> given;
  for (const ConstElements& array : arrays) {
    if (!array.fits(part.element_bytes))
      refuse("input `" + input + "` is of " + (part.element_bytes == 4 ? "float" : "double"));
    given.push_back(array.data());
  }
  core().given[index].arrays.swap(given);
  core().inputs[index] = core().given[index].arrays.data();
}

inline void Optimizer::read_view(const std::string& view,
                                 const std::vector<Elements>& destinations) {
  if (destinations.size() != core().gradients.size())
    refuse("a view is read into an array for each tensor");
  std::vector<void*> raw;
  for (const Elements& destination : destinations) {
    if (!destination.fits(element_bytes())) refuse("a destination is not of " + type_name());
    raw.push_back(destination.data());
  }
  detail::call(&functions(), functions().read_view, core().optimizer, view.c_str(),
               static_cast<void* const*>(raw.data()));
}

}  // namespace talweg

#endif
