// Steps of a compiled rule allocate nothing, nor does the C++ interface around them. Every
// allocation of the program goes through the functions below, those inside of libtalweg too.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <talweg/talweg.hpp>

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
}

static std::atomic<long> allocations{0};

extern "C" {
void* malloc(std::size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  ++allocations;
  return __libc_realloc(memory, bytes);
}
}

static long during_steps(const char* expression, unsigned threads) {
  talweg::Options options;
  options.threads = threads;
  std::vector<float> w(50000, 1.f), b(7), grad_w(w.size(), 0.5f), grad_b(b.size(), 0.5f);
  const long before_all = allocations;
  talweg::Optimizer optimizer(talweg::compile(expression),
                              {{"w", {200, 250}, w.data()}, {"b", {7}, b.data()}}, options);
  const std::vector<const float*> gradients{grad_w.data(), grad_b.data()};
  const bool reads_loss = !optimizer.rule().inputs().empty();
  if (reads_loss) optimizer.give("loss", 1.0);
  const long before = allocations;
  if (before == before_all) return -1;  // the counting itself does not work
  for (int i = 0; i < 10; ++i) {
    optimizer.set("lr", 0.001 * i);
    if (reads_loss) optimizer.give("loss", 1.0 / (i + 1));
    while (optimizer.step(gradients) == talweg::Outcome::Regrad) {
    }
    optimizer.step({grad_w.data(), nullptr});
    if (optimizer.is_waiting()) optimizer.abandon();
  }
  return allocations - before;
}

int main() {
  int failures = 0;
  for (const char* expression :
       {"AdamW", "LAMB", "ClipByGlobalNorm(1) | AdamW", "SAM | AdamW", "PolyakStep"})
    for (const unsigned threads : {1u, 2u}) {
      const long counted = during_steps(expression, threads);
      std::printf("%s on %u: %ld allocations\n", expression, threads, counted);
      failures += counted != 0;
    }
  return failures;
}
