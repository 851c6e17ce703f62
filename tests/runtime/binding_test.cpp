// What it costs that gradients lie elsewhere in each step: their pointers are bound. Nothing is
// allocated, and no chunk is looked at outside the pass.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <new>

#include "runtime/optimizer/step.h"
#include "tests/runtime/fake_rule.h"

namespace {

std::atomic<std::uint64_t> allocations = 0;

void* allocate(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (bytes / alignment + 1) * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Of the whole program. The step's C code cannot allocate: see runtime_freestanding_test.
void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace talweg::tests {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::uint64_t kElements = std::uint64_t{3000} * TALWEG_CHUNK_ELEMENTS + 1;

/// A rule whose pass notes where chunks and gradients are, and looks at none.
struct NotingRule : HandWritten<NotingRule> {
  const talweg_chunk* chunks = nullptr;
  std::uint64_t chunk_count = 0;
  std::vector<const void*> seen;  // gradients, in room that it has before
  std::uint32_t tensor_count = 0;
  talweg_phase phase{};

  NotingRule() : HandWritten("Notes", TALWEG_F32, 2) {
    phase.pass = [](void* self, const talweg_pass_args* args, std::uint32_t, std::uint32_t) {
      NotingRule& rule = of(self);
      rule.chunks = args->chunks;
      rule.chunk_count = args->chunk_count;
      for (std::size_t t = 0; t < args->tensor_count; ++t)
        rule.seen[t] = args->pointers[2 * t + TALWEG_STREAM_GRAD];
    };
    set_phase(phase);
  }
};

/// Two tensors of very many chunks. Their memory is reserved and never touched.
class Large {
 public:
  Large() {
    rule_.seen.resize(2);
    for (void*& memory : memory_) {
      memory = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      REQUIRE(memory != MAP_FAILED);
    }
    std::vector<optimizer::Tensor> tensors(2);
    for (std::size_t t = 0; t < 2; ++t) {
      tensors[t].name = t == 0 ? "a" : "b";
      tensors[t].shape = {kElements};
      tensors[t].param = memory_[t];
    }
    optimizer_ = std::make_unique<optimizer::Optimizer>(make_optimizer(rule_.image, tensors, 1, 2));
  }
  ~Large() {
    protect_chunks(PROT_READ | PROT_WRITE);
    for (void* memory : memory_) munmap(memory, kBytes);
  }
  Large(const Large&) = delete;
  Large& operator=(const Large&) = delete;

  /// A step with these gradients, of which it sees those.
  void step(const void* a, const void* b) {
    const void* const gradients[] = {a, b};
    const auto stepped = optimizer_->step(gradients);
    if (!stepped || rule_.seen[0] != a || rule_.seen[1] != b) std::abort();
  }
  /// Address number `i` for a gradient, no two of which are equal.
  [[nodiscard]] const void* at(std::size_t i) const {
    return static_cast<const char*>(memory_[2 + i % 2]) + i / 2 * sizeof(float);
  }
  /// Of the pages that hold nothing but chunks.
  void protect_chunks(int protection) const {
    if (rule_.chunks == nullptr) return;
    const auto begin = reinterpret_cast<std::uintptr_t>(rule_.chunks);
    const auto end = begin + rule_.chunk_count * sizeof(talweg_chunk);
    const auto first = (begin + kPageBytes - 1) / kPageBytes * kPageBytes;
    const auto last = end / kPageBytes * kPageBytes;
    REQUIRE(last - first > 20 * kPageBytes);
    REQUIRE(mprotect(reinterpret_cast<void*>(first), last - first, protection) == 0);
  }

 private:
  static constexpr std::size_t kBytes = (kElements + 4096) * sizeof(float);
  NotingRule rule_;
  void* memory_[4] = {};  // two parameters, two places for gradients
  std::unique_ptr<optimizer::Optimizer> optimizer_;
};

/// Whether a process that does this ends as it should.
template <class Action>
bool survives(Action action) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);  // Catch and sanitizers would report what is expected
    action();
    _exit(0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status == 0;
}

}  // namespace

TEST_CASE("gradients that move are bound without a look at chunks") {
  Large large;
  large.step(large.at(0), large.at(1));
  large.protect_chunks(PROT_NONE);
  CHECK(survives([&] {
    for (std::size_t i = 2; i < 50; i += 2) large.step(large.at(i), large.at(i + 1));
  }));
  // Whoever takes part anew makes new parts of the table, which is read for that, not written.
  CHECK_FALSE(survives([&] { large.step(nullptr, large.at(1)); }));
  large.protect_chunks(PROT_READ);
  CHECK(survives([&] {
    large.step(nullptr, large.at(1));
    large.step(large.at(3), large.at(2));
  }));
}

TEST_CASE("a step allocates nothing, wherever gradients are") {
  FakeRule<float> rule;
  FakeModel<float> model({100, 70'000, 3, 0, 40'000});
  for (const std::uint32_t threads : {0U, 3U}) {
    auto optimizer = make_optimizer(rule, model, {0, 1, 0, 1, 0}, 2, threads);
    std::vector<std::vector<const void*>> gradients;
    std::vector<FakeModel<float>> copies(4, model);
    for (FakeModel<float>& copy : copies) gradients.push_back(copy.gradients());
    gradients[2][1] = nullptr;  // others take part
    const std::uint64_t before = allocations;
    bool all_stepped = true;
    for (int step = 0; step < 12; ++step)
      all_stepped &= optimizer.step(gradients[static_cast<std::size_t>(step) % 4]).ok();
    CHECK(allocations == before);
    CHECK(all_stepped);
    CHECK(before > 0);
  }
}

}  // namespace talweg::tests
