#include "tests/gpu/model_pair.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "compiler/driver/device_code.h"
#include "compiler/passes/pass.h"
#include "compiler/targets/target.h"
#include "runtime/device/cuda_calls.h"
#include "runtime/memory/dtype.h"
#include "runtime/memory/matrix_view.h"
#include "tests/ir/compile_text.h"

namespace talweg::gpu {

namespace {

void require_cuda(std::int32_t result, const talweg_cuda_error& error) {
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(result == TALWEG_CUDA_OK);
}

constexpr std::align_val_t kAlignment{4096};

std::size_t elements_of(const std::vector<std::uint64_t>& shape) {
  std::size_t count = 1;
  for (const std::uint64_t size : shape) count *= size;
  return count;
}

/// A NaN is a NaN: which one arithmetic gives differs from machine to machine.
template <class T>
void make_nans_one(std::string& bytes) {
  for (std::size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T value;
    std::memcpy(&value, &bytes[i], sizeof value);
    if (!std::isnan(value)) continue;
    value = std::numeric_limits<T>::quiet_NaN();
    std::memcpy(&bytes[i], &value, sizeof value);
  }
}

bool is_number(const talweg_input_info& input) {
  return input.rate == TALWEG_RATE_MODEL || input.rate == TALWEG_RATE_GROUP ||
         input.rate == TALWEG_RATE_TENSOR;
}

std::string with_one_nan(std::string bytes, std::size_t element_bytes) {
  if (element_bytes == sizeof(float))
    make_nans_one<float>(bytes);
  else
    make_nans_one<double>(bytes);
  return bytes;
}

}  // namespace

DriverSession::DriverSession(int devices) {
  ::setenv("TALWEG_CUDA_DRIVER", FAKE_CUDA, 1);
  fake_cuda_reset(devices);
  talweg_cuda_error error{};
  require_cuda(talweg_cuda_retain_context(0, &context, &error), error);
  require_cuda(talweg_cuda_enter(context, &error), error);
}

DriverSession::~DriverSession() {
  talweg_cuda_leave(context, nullptr);
  talweg_cuda_release_context(0, nullptr);
}

DeviceBytes::DeviceBytes(std::size_t size) : bytes(size) {
  talweg_cuda_error error{};
  if (size > 0) require_cuda(talweg_cuda_allocate(&address, size, &error), error);
}

DeviceBytes::DeviceBytes(DeviceBytes&& other) noexcept
    : address(std::exchange(other.address, 0)), bytes(other.bytes) {}

DeviceBytes::~DeviceBytes() {
  if (address != 0) talweg_cuda_free(address, nullptr);
}

void DeviceBytes::write(const std::string& from, talweg_cuda_stream stream) {
  talweg_cuda_error error{};
  REQUIRE(from.size() == bytes);
  if (bytes == 0) return;
  require_cuda(talweg_cuda_copy_in(address, from.data(), bytes, stream, &error), error);
  require_cuda(talweg_cuda_wait(stream, &error), error);
}

std::string DeviceBytes::read() const {
  std::string to(bytes, '\0');
  talweg_cuda_error error{};
  if (bytes == 0) return to;
  require_cuda(talweg_cuda_copy_out(to.data(), address, bytes, nullptr, &error), error);
  require_cuda(talweg_cuda_wait(nullptr, &error), error);
  return to;
}

PairRule::PairRule(const std::string& expression, types::ComputeType compute,
                   const std::string& module_text)
    : PairRule(tests::graph_of_rule(expression, module_text), compute) {}

PairRule::PairRule(const ir::Graph& graph, types::ComputeType compute) {
  driver::CompileOptions options;
  options.compute = compute;
  options.use_cache = false;
  auto program = driver::compile(graph, options);
  if (!program) FAIL(program.failure().message);
  host = *program;
  ptx = driver::generate_device_code(plan::make_plan(passes::run_passes(graph), compute),
                                     *targets::find_target("nvptx-sm90"));
}

bool PairRule::takes(const std::vector<PairTensor>& tensors) const {
  std::vector<talweg_tensor> described(tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    described[t].name = "w";
    described[t].shape = tensors[t].shape.data();
    described[t].rank = static_cast<std::uint32_t>(tensors[t].shape.size());
    described[t].group = tensors[t].group;
    described[t].param = described.data();
  }
  talweg_optimizer_spec spec{};
  spec.image = &host->image();
  spec.tensors = described.data();
  spec.tensor_count = static_cast<std::uint32_t>(described.size());
  spec.group_count = spec.thread_count = 4;
  talweg_optimizer_sizes sizes{};
  return talweg_measure(&spec, &sizes, nullptr) == TALWEG_OK;
}

ModelPair::ModelPair(const PairRule& rule, std::vector<PairTensor> tensors, std::uint32_t groups,
                     std::uint32_t seed)
    : rule_(rule),
      image_(rule.host->image()),
      tensors_(std::move(tensors)),
      groups_(groups),
      random_(seed),
      element_bytes_(talweg_dtype_bytes(image_.compute_dtype)),
      absent_(tensors_.size()) {
  std::vector<std::string> names;
  std::vector<std::vector<const char*>> tags(tensors_.size());
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    names.push_back("w" + std::to_string(t));
    counts_.push_back(elements_of(tensors_[t].shape));
    params_.push_back(random_bytes(counts_[t]));
    gradients.push_back(random_bytes(counts_[t]));
    device_params.emplace_back(params_[t].size());
    device_params[t].write(params_[t]);
    device_gradients.emplace_back(params_[t].size());
    for (const std::string& tag : tensors_[t].tags) tags[t].push_back(tag.c_str());
  }
  std::vector<talweg_tensor> described(tensors_.size());
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    described[t].name = names[t].c_str();
    described[t].shape = tensors_[t].shape.data();
    described[t].rank = static_cast<std::uint32_t>(tensors_[t].shape.size());
    described[t].group = tensors_[t].group;
    described[t].tags = tags[t].data();
    described[t].tag_count = static_cast<std::uint32_t>(tags[t].size());
    described[t].param = counts_[t] > 0 ? params_[t].data() : nullptr;
  }
  talweg_optimizer_spec spec{};
  spec.image = &image_;
  spec.tensors = described.data();
  spec.tensor_count = static_cast<std::uint32_t>(described.size());
  spec.group_count = groups;
  spec.thread_count = 1;
  talweg_error error{};
  talweg_optimizer_sizes sizes{};
  if (talweg_measure(&spec, &sizes, &error) != TALWEG_OK) FAIL(error.message);
  control_ = ::operator new(sizes.control_bytes, kAlignment);
  states_ = ::operator new(sizes.state_bytes + 1, kAlignment);
  if (talweg_create(&spec, control_, states_, &host, &error) != TALWEG_OK) FAIL(error.message);
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    described[t].device = TALWEG_DEVICE_CUDA;
    described[t].param = reinterpret_cast<void*>(device_params[t].address);
  }
  talweg_gpu_spec on_device{};
  on_device.optimizer = spec;
  on_device.ptx = rule.ptx.c_str();
  const talweg_status status = talweg_gpu_create(&on_device, &device, &error);
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(status == TALWEG_OK);
}

ModelPair::~ModelPair() {
  talweg_gpu_destroy(device);
  ::operator delete(states_, kAlignment);
  ::operator delete(control_, kAlignment);
}

std::string ModelPair::random_bytes(std::size_t elements) {
  std::normal_distribution<double> normal;
  std::string bytes(elements * element_bytes_, '\0');
  for (std::size_t i = 0; i < elements; ++i) {
    const double value = normal(random_);
    const auto rounded = static_cast<float>(value);
    if (element_bytes_ == sizeof rounded)
      std::memcpy(&bytes[i * sizeof rounded], &rounded, sizeof rounded);
    else
      std::memcpy(&bytes[i * sizeof value], &value, sizeof value);
  }
  return bytes;
}

void ModelPair::draw_gradients() {
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    gradients[t] = random_bytes(counts_[t]);
    device_gradients[t].write(gradients[t]);
  }
}

/// Float32 and float64 by turns: the host is given what the device will read.
void ModelPair::place_number(std::uint32_t input) {
  const bool is_float = input % 2 == 0;
  std::string bytes;
  for (double& number : numbers_[input]) {
    const auto rounded = static_cast<float>(number);
    if (is_float) number = rounded;
    bytes += is_float ? std::string(reinterpret_cast<const char*>(&rounded), sizeof rounded)
                      : std::string(reinterpret_cast<const char*>(&number), sizeof number);
  }
  std::optional<DeviceBytes>& source = sources_[input];
  if (!source) source.emplace(bytes.size());
  source->write(bytes);
  talweg_error error{};
  const talweg_status status =
      talweg_gpu_set_input(device, input, source->address, is_float ? 1 : 0, &error);
  INFO(error.message);
  REQUIRE(status == TALWEG_OK);
}

void ModelPair::place_numbers(bool on_device) {
  places_numbers_ = on_device;
  sources_.resize(image_.input_count);
}

void ModelPair::draw_number(std::uint32_t input) {
  std::uniform_real_distribution<double> uniform(0.1, 1);
  const std::uint8_t rate = image_.inputs[input].rate;
  numbers_[input].resize(rate == TALWEG_RATE_MODEL   ? 1
                         : rate == TALWEG_RATE_GROUP ? groups_
                                                     : tensors_.size());
  for (double& number : numbers_[input]) number = uniform(random_);
  if (places_numbers_) place_number(input);
  if (rate == TALWEG_RATE_MODEL) model_inputs_[input] = numbers_[input][0];
}

void ModelPair::draw_numbers() {
  for (std::uint32_t i = 0; i < image_.input_count; ++i)
    if (places_numbers_ && !numbers_[i].empty()) draw_number(i);
}

void ModelPair::draw_inputs(bool gives) {
  const std::uint32_t count = image_.input_count;
  model_inputs_.assign(count, 0);
  given_.assign(count, 0);
  numbers_.assign(count, {});
  arrays_.assign(count, {});
  device_arrays_.clear();
  device_arrays_.resize(count);
  for (std::uint32_t i = 0; i < count; ++i)
    if (is_number(image_.inputs[i]))
      REQUIRE(talweg_gpu_set_input(device, i, 0, 0, nullptr) == TALWEG_OK);
  for (std::uint32_t i = 0; i < count && gives; ++i) {
    const std::uint8_t rate = image_.inputs[i].rate;
    given_[i] = rate == TALWEG_RATE_MODEL;
    if (is_number(image_.inputs[i])) {
      draw_number(i);
    } else {
      for (std::size_t t = 0; t < tensors_.size(); ++t) {
        std::string array = random_bytes(counts_[t]);  // of rows and columns more than there are
        if (rate == TALWEG_RATE_MATRIX) array.assign((counts_[t] + 1) * sizeof(double), '\0');
        arrays_[i].push_back(array);
        device_arrays_[i].emplace_back(array.size());
        device_arrays_[i].back().write(array);
      }
    }
  }
}

talweg_step_inputs ModelPair::inputs(bool on_device) {
  const std::uint32_t count = image_.input_count;
  pointers_.assign(count, {});
  element_inputs_.assign(count, nullptr);
  line_inputs_.assign(count, nullptr);
  group_inputs_.assign(count, nullptr);
  tensor_inputs_.assign(count, nullptr);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t rate = image_.inputs[i].rate;
    for (std::size_t t = 0; t < arrays_[i].size(); ++t)
      pointers_[i].push_back(on_device && rate != TALWEG_RATE_MATRIX
                                 ? reinterpret_cast<void*>(device_arrays_[i][t].address)
                                 : arrays_[i][t].data());
    if (!pointers_[i].empty())
      (rate == TALWEG_RATE_ELEMENT ? element_inputs_ : line_inputs_)[i] = pointers_[i].data();
    if (!numbers_[i].empty() && rate != TALWEG_RATE_MODEL && !(on_device && places_numbers_))
      (rate == TALWEG_RATE_GROUP ? group_inputs_ : tensor_inputs_)[i] = numbers_[i].data();
  }
  gradient_pointers_.clear();
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    // An empty tensor takes part all the same: any address will do.
    const void* start = counts_[t] == 0 ? static_cast<const void*>(this)
                        : on_device     ? reinterpret_cast<void*>(device_gradients[t].address)
                                        : static_cast<const void*>(gradients[t].data());
    gradient_pointers_.push_back(absent_[t] ? nullptr : start);
  }
  talweg_step_inputs all{};
  all.gradients = gradient_pointers_.data();
  if (count == 0) return all;
  all.model_inputs = model_inputs_.data();
  all.given = on_device && places_numbers_ ? nullptr : given_.data();
  all.element_inputs = element_inputs_.data();
  all.line_inputs = line_inputs_.data();
  all.group_inputs = group_inputs_.data();
  all.tensor_inputs = tensor_inputs_.data();
  return all;
}

talweg_status ModelPair::step_host(talweg_outcome* outcome, talweg_error* error) {
  if (given_.size() != image_.input_count) draw_inputs(true);
  const talweg_step_inputs all = inputs(false);
  return talweg_step(host, &all, outcome, error);
}

talweg_status ModelPair::step_device(bool names_gradients, talweg_error* error) {
  if (given_.size() != image_.input_count) draw_inputs(true);
  talweg_step_inputs all = inputs(true);
  if (!names_gradients) all.gradients = nullptr;
  return talweg_step(device, &all, nullptr, error);
}

talweg_outcome ModelPair::step(const std::vector<std::size_t>& absent, bool gives_inputs) {
  absent_.assign(tensors_.size(), false);
  for (const std::size_t t : absent) absent_[t] = true;
  draw_gradients();
  if (talweg_is_waiting(host) == 0) draw_inputs(gives_inputs);
  talweg_outcome expected = TALWEG_COMPLETED, outcome = TALWEG_COMPLETED;
  talweg_error expected_error{}, error{};
  const talweg_status wanted = step_host(&expected, &expected_error);
  talweg_step_inputs all = inputs(true);
  talweg_status status = talweg_step(device, &all, &outcome, &error);
  // A device that was refused something asks for another gradient all the same.
  if (status == TALWEG_OK && (outcome != TALWEG_REGRAD || wanted != TALWEG_OK))
    status = talweg_gpu_wait(device, &outcome, &error);
  INFO(error.message << " " << fake_cuda_fault());
  REQUIRE(status == wanted);
  REQUIRE(std::string(error.message) == expected_error.message);
  if (wanted == TALWEG_OK) REQUIRE(outcome == expected);
  return outcome;
}

void ModelPair::set_hyper(const std::string& name, double value) {
  for (std::uint32_t h = 0; h < image_.hyper_count; ++h) {
    if (name != image_.hypers[h].name) continue;
    for (talweg_optimizer* optimizer : {host, device}) {
      talweg_error error{};
      if (talweg_set_hyper(optimizer, h, TALWEG_ALL_GROUPS, value, &error) != TALWEG_OK)
        FAIL(error.message);
    }
    return;
  }
  FAIL("no hyper " << name);
}

std::string ModelPair::elements(bool on_device, const void* data, std::size_t bytes) const {
  std::string to(bytes, '\0');
  if (bytes == 0 || data == nullptr) return {};
  if (!on_device) {
    std::memcpy(to.data(), data, bytes);
    return to;
  }
  talweg_cuda_error error{};
  require_cuda(talweg_cuda_copy_out(to.data(), reinterpret_cast<talweg_cuda_address>(data), bytes,
                                    nullptr, &error),
               error);
  require_cuda(talweg_cuda_wait(nullptr, &error), error);
  return to;
}

void ModelPair::append_states(bool on_device, std::string& all) {
  talweg_optimizer* optimizer = on_device ? device : host;
  const auto number = [&](const double* value) {
    if (value == nullptr) return;
    all += with_one_nan({reinterpret_cast<const char*>(value), sizeof *value}, sizeof *value);
  };
  for (std::uint32_t s = 0; s < image_.state_count; ++s) {
    const std::uint8_t rate = image_.states[s].rate;
    const bool is_scalar = rate == TALWEG_RATE_MODEL || rate == TALWEG_RATE_GROUP;
    for (std::uint32_t g = 0; g < groups_ && is_scalar; ++g)
      number(talweg_scalar_state(optimizer, s, g));
    for (std::uint32_t t = 0; t < tensors_.size(); ++t) {
      number(talweg_state_begun(optimizer, s, t));
      talweg_state_array array{};
      if (rate == TALWEG_RATE_TENSOR) {
        number(talweg_tensor_state(optimizer, s, t));
      } else if (rate == TALWEG_RATE_ELEMENT) {
        all += with_one_nan(
            elements(on_device, talweg_element_state(optimizer, s, t), counts_[t] * element_bytes_),
            element_bytes_);
      } else if (!is_scalar && talweg_array_state(optimizer, s, t, &array) != 0) {
        const std::size_t count = elements_of({array.shape, array.shape + array.rank});
        if (rate == TALWEG_RATE_MATRIX)
          all += with_one_nan(elements(false, array.data, count * sizeof(double)), sizeof(double));
        else
          all +=
              with_one_nan(elements(on_device, array.data, count * element_bytes_), element_bytes_);
      }
    }
  }
}

std::string ModelPair::everything(bool on_device) {
  std::string all;
  for (std::size_t t = 0; t < tensors_.size(); ++t)
    all += with_one_nan(on_device ? device_params[t].read() : params_[t], element_bytes_);
  append_states(on_device, all);
  const talweg_counters* counters = talweg_get_counters(on_device ? device : host);
  all.append(reinterpret_cast<const char*>(counters), sizeof *counters);
  for (std::uint32_t h = 0; h < image_.hyper_count; ++h)
    for (std::uint32_t g = 0; g < groups_; ++g) {
      double value = 0;
      talweg_get_hyper(on_device ? device : host, h, g, &value, nullptr);
      all += with_one_nan({reinterpret_cast<const char*>(&value), sizeof value}, sizeof value);
    }
  return all;
}

void ModelPair::require_same() {
  if (talweg_is_waiting(device) != 0)  // the first half may still be in its stream
    REQUIRE(talweg_gpu_wait(device, nullptr, nullptr) == TALWEG_OK);
  const std::string expected = everything(false), got = everything(true);
  INFO(fake_cuda_fault());
  REQUIRE(expected.size() == got.size());
  std::size_t first = 0;
  while (first < expected.size() && expected[first] == got[first]) ++first;
  if (first < expected.size()) FAIL("byte " << first << " of " << expected.size() << " differs");
  if (talweg_is_waiting(host) != 0 || talweg_swapped_view(host) != TALWEG_NO_VIEW) return;
  for (std::uint32_t v = 0; v < image_.view_count; ++v) {
    std::vector<std::string> outs;
    std::vector<DeviceBytes> device_outs;
    std::vector<void*> here, there;
    for (std::size_t t = 0; t < tensors_.size(); ++t) {
      outs.emplace_back(counts_[t] * element_bytes_, '\0');
      device_outs.emplace_back(outs[t].size());
    }
    for (std::size_t t = 0; t < tensors_.size(); ++t) {
      here.push_back(counts_[t] > 0 ? outs[t].data() : nullptr);
      there.push_back(reinterpret_cast<void*>(device_outs[t].address));
    }
    talweg_error error{};
    talweg_error expected_error{};
    const talweg_status expected_status = talweg_read_view(host, v, here.data(), &expected_error);
    const talweg_status status = talweg_read_view(device, v, there.data(), &error);
    INFO(error.message << " " << fake_cuda_fault());
    REQUIRE(status == expected_status);
    REQUIRE(std::string(error.message) == expected_error.message);
    for (std::size_t t = 0; t < tensors_.size() && status == TALWEG_OK; ++t)
      REQUIRE((with_one_nan(outs[t], element_bytes_) ==
               with_one_nan(device_outs[t].read(), element_bytes_)));
  }
}

}  // namespace talweg::gpu
