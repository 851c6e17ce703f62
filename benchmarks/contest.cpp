#include "benchmarks/contest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace talweg::benchmarks {

namespace {

/// GPT-2 small, 148 tensors of 124 million parameters (Radford et al. 2019).
std::vector<std::size_t> gpt2_small() {
  constexpr std::size_t kWidth = 768, kWords = 50257, kPositions = 1024, kLayers = 12;
  std::vector<std::size_t> sizes = {kWords * kWidth, kPositions * kWidth};
  for (std::size_t layer = 0; layer < kLayers; ++layer)
    for (const std::size_t size :
         {kWidth, kWidth, 3 * kWidth * kWidth, 3 * kWidth, kWidth * kWidth, kWidth, kWidth, kWidth,
          4 * kWidth * kWidth, 4 * kWidth, 4 * kWidth * kWidth, kWidth})
      sizes.push_back(size);
  sizes.insert(sizes.end(), {kWidth, kWidth});
  return sizes;
}

/// Bytes from one array to the next, beyond whole pages.
constexpr std::size_t kStagger = std::size_t{17} * 64;
constexpr std::size_t kPage = 4096;

/// Where the array number `index` of `elements` floats begins in a block.
std::size_t place(std::size_t index, std::size_t elements) {
  const std::size_t pages = (elements * sizeof(float) + kPage - 1) / kPage + 1;
  return index * (pages * kPage + kStagger);
}

}  // namespace

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"AdamW", "AdamW", twin_of_three, adamw_plain, prepare_adam},
      {"Adam", "Adam", twin_of_three, adam_plain, prepare_adam},
      {"RAdam", "RAdam", twin_of_three, radam_plain, prepare_radam},
      {"RMSprop", "RMSprop(lr = 1e-3)", twin_of_two, rmsprop_plain, nullptr},
      {"Lion", "Lion(lr = 1e-3)", twin_of_two, lion_plain, nullptr},
      {"SgdMomentum", "SGD(momentum = 0.9)", twin_of_two, momentum_plain, nullptr},
      {"Sgd", "SGD", twin_of_one, sgd_plain, nullptr},
  };
  return all;
}

std::size_t Layout::total() const {
  return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"1K", {1024}},          {"16K", {16 * 1024}},
      {"256K", {256 * 1024}},  {"4M", {4 << 20}},
      {"64M", {64 << 20}},     {"1000x10K", std::vector<std::size_t>(1000, 10'000)},
      {"GPT-2", gpt2_small()},
  };
  return all;
}

void give_up(const std::string& why) {
  fmt::print(stderr, "benchmark: {}\n", why);
  std::exit(1);
}

driver::FrontEnd analyze(const std::string& rule) {
  base::Sources sources;
  base::Diagnostics diagnostics;
  sema::Modules modules({{}, driver::find_stdlib()}, sources, diagnostics);
  auto front_end = driver::analyze_rule(modules, sources, diagnostics, rule);
  if (!front_end) give_up("the rule '" + rule + "' does not compile");
  return std::move(*front_end);
}

std::shared_ptr<driver::Program> compile(const std::string& rule) {
  auto program = driver::compile(analyze(rule).graph, {});
  if (!program) give_up(program.failure().message);
  return *program;
}

Memory::Memory(std::size_t elements) {
  const std::size_t bytes = place(2, elements) / kPage * kPage + kPage;
  given_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, bytes)));  // NOLINT: has an owner
  auto states = device::HostBlock::allocate(bytes);
  if (given_ == nullptr || !states) give_up("there is not enough memory");
  states_ = std::move(*states);
  const auto array = [&](std::byte* block, std::size_t index, float value) {
    auto* start = reinterpret_cast<float*>(block + place(index, elements));  // NOLINT: raw memory
    std::fill_n(start, elements, value);
    return start;
  };
  p = array(given_.get(), 0, 0.5F);
  g = array(given_.get(), 1, 1e-2F);
  m = array(static_cast<std::byte*>(states_.data()), 0, 0);
  v = array(static_cast<std::byte*>(states_.data()), 1, 1e-4F);
}

void PeerRun::run(std::size_t begin, std::size_t end) const {
  std::size_t offset = 0;
  for (const std::size_t size : layout.sizes) {
    const std::size_t first = std::max(begin, offset), last = std::min(end, offset + size);
    const Arrays arrays{memory.p + offset, memory.g + offset, memory.m + offset, memory.v + offset};
    if (first < last) kernel(arrays, first - offset, last - offset, at);
    offset += size;
  }
}

void PeerRun::step() {
  constexpr std::size_t kWorthWaking = 32768;      // elements, as talweg's
  constexpr std::size_t kOwnCacheBytes = 1 << 20;  // of parameters, gradients and two states
  at.t += 1;
  at.in_memory = layout.total() * 4 * sizeof(float) / pool->threads() > kOwnCacheBytes;
  if (prepare != nullptr) prepare(at);
  const auto part = [](void* self, std::uint32_t index) {
    const auto& peer = *static_cast<const PeerRun*>(self);
    const std::size_t parts = peer.pool->threads(), total = peer.layout.total();
    peer.run(total * index / parts, total * (index + 1) / parts);
  };
  if (layout.total() <= kWorthWaking || pool->threads() == 1)
    run(0, layout.total());
  else
    pool->run(pool->threads(), part, this);
}

TalwegRun::TalwegRun(const std::string& rule, const Layout& layout, const Memory& memory,
                     const std::shared_ptr<support::ThreadPool>& pool) {
  const auto program = compile(rule);
  std::vector<optimizer::Tensor> tensors;
  std::size_t offset = 0;
  for (const std::size_t size : layout.sizes) {
    std::vector<std::uint64_t> shape = {size};
    if (layout.columns > 0) shape = {size / layout.columns, layout.columns};
    tensors.push_back({fmt::format("t{}", tensors.size()), shape, memory.p + offset, 0, {}});
    gradients_.push_back(memory.g + offset);
    offset += size;
  }
  auto made = optimizer::Optimizer::create(program->image(), program, std::move(tensors), 1, pool);
  if (!made) give_up(made.failure().message);
  optimizer_.emplace(std::move(*made));
}

void TalwegRun::step() {
  // A rule that moves the parameters for another gradient is timed with the same one again.
  do {
    if (auto stepped = optimizer_->step(gradients_); !stepped) give_up(stepped.failure().message);
  } while (optimizer_->is_waiting());
}

}  // namespace talweg::benchmarks
