// Partial results made in separate processes: each has memory of its own, runs the pass over a run
// of chunks and sends what it left through a pipe; folded by the runtime, all of them together are
// what one process has.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "runtime/memory/chunk_table.h"
#include "runtime/optimizer/fold.h"
#include "tests/codegen/core_run.h"
#include "tests/ir/compile_text.h"
#include "tests/ir/random_graph.h"

namespace talweg::tests {

namespace {

/// Each state is what one reduction gives, and no scalar is needed to fold it.
constexpr const char* kSums = R"(
rule Sums {
  state model m_sum
  state model m_dot
  state model m_max
  state group g_sum
  state group g_dot
  state group g_max
  state tensor t_sum
  state tensor t_dot
  state tensor t_max
  step {
    m_sum = sum(grad) per model
    m_dot = dot(grad, param) per model
    m_max = max(grad * param) per model
    g_sum = sum(grad) per group
    g_dot = dot(grad, param) per group
    g_max = max(grad * param) per group
    t_sum = sum(grad) per tensor
    t_dot = dot(grad, param) per tensor
    t_max = max(grad * param) per tensor
  }
}
)";

/// What a process knows of a model: shapes, groups, and the values of its own chunks.
class Model {
 public:
  Model(const talweg_image& image, const std::vector<LinedTensor>& tensors)
      : image_(image), tensors_(tensors) {
    std::uint32_t count = 0;
    for (const LinedTensor& tensor : tensors)
      REQUIRE(talweg_count_chunks(elements_of(tensor.shape), &count) == 1);
    chunks_.resize(count);
    talweg_chunk* next = chunks_.data();
    for (std::uint32_t t = 0; t < tensors.size(); ++t) {
      first_chunks_.push_back(static_cast<std::size_t>(next - chunks_.data()));
      next = talweg_fill_chunks(elements_of(tensors[t].shape), t, next);
    }
    first_chunks_.push_back(count);
    REQUIRE(image.step.phase_count >= 1);
    REQUIRE(image.step.chunk_partial_count > 0);
  }

  [[nodiscard]] std::uint32_t chunk_count() const {
    return static_cast<std::uint32_t>(chunks_.size());
  }

  /// [partial][chunk of the run]: what the first pass leaves for chunks [begin, end). Of params and
  /// gradients only their elements are read: they are copied, and guarded.
  [[nodiscard]] std::vector<double> run_pass(const std::vector<const float*>& params,
                                             const std::vector<const void*>& gradients,
                                             std::uint32_t begin, std::uint32_t end) const {
    const talweg_kernels& step = image_.step;
    std::vector<void*> pointers(tensors_.size() * image_.stream_count);
    std::vector<GuardedArray> memory;
    for (std::uint32_t c = begin; c < end; ++c) {
      const std::size_t tensor = chunks_[c].tensor_index;
      if (c > begin && chunks_[c - 1].tensor_index == tensor) continue;
      std::uint32_t last = c;
      while (last + 1 < end && chunks_[last + 1].tensor_index == tensor) ++last;
      const std::uint64_t first = chunks_[c].first_element;
      const std::uint64_t count = chunks_[last].first_element + chunks_[last].element_count - first;
      const auto own = [&](const float* values) {
        memory.emplace_back(count * sizeof(float), Placement::AtEnd);
        std::memcpy(memory.back().data(), values + first, count * sizeof(float));
        // Where the tensor would begin if all of it were here.
        return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(memory.back().data()) -
                                       first * sizeof(float));
      };
      void** streams = pointers.data() + tensor * image_.stream_count;
      if (gradients[tensor] == nullptr) continue;
      streams[TALWEG_STREAM_PARAM] = own(params[tensor]);
      streams[TALWEG_STREAM_GRAD] = own(static_cast<const float*>(gradients[tensor]));
    }
    std::vector<std::uint32_t> groups, routes(tensors_.size());
    for (const LinedTensor& tensor : tensors_) groups.push_back(tensor.group);
    const std::vector<talweg_slot> slots((step.model_slot_count + step.group_slot_count + 1) * 8);
    const std::vector<talweg_scalar_args> group_args(8);
    std::vector<double> partials(step.chunk_partial_count * chunks_.size(), std::nan(""));
    talweg_pass_args args{};
    args.chunks = chunks_.data();
    args.pointers = pointers.data();
    args.tensor_groups = groups.data();
    args.tensor_routes = routes.data();
    args.model_slots = args.group_slots = slots.data();
    args.group_args = group_args.data();
    args.chunk_partials = partials.data();
    args.chunk_count = chunks_.size();
    args.tensor_count = tensors_.size();
    step.phases[0].pass(step.self, &args, begin, end);
    std::vector<double> result;
    for (std::size_t p = 0; p < step.chunk_partial_count; ++p)
      result.insert(result.end(), partials.begin() + p * chunks_.size() + begin,
                    partials.begin() + p * chunks_.size() + end);
    return result;
  }

  /// The runtime's folds of all partial results, [partial][chunk], for one tensor.
  [[nodiscard]] double of_tensor(const talweg_reduction_info& info,
                                 const std::vector<double>& partials, std::size_t tensor) const {
    return talweg_fold_sequence(
        info.fold, partials.data() + info.partial * chunks_.size() + first_chunks_[tensor],
        first_chunks_[tensor + 1] - first_chunks_[tensor]);
  }

  /// For the tensors of a group, or (`group` is UINT32_MAX) for all.
  [[nodiscard]] double of_tensors(const talweg_reduction_info& info,
                                  const std::vector<double>& partials,
                                  const std::vector<const void*>& gradients,
                                  std::uint32_t group) const {
    talweg_folding folding;
    talweg_begin_fold(&folding, info.fold);
    for (std::size_t t = 0; t < tensors_.size(); ++t) {
      const bool is_its = group == UINT32_MAX || tensors_[t].group == group;
      if (is_its && gradients[t] != nullptr)
        talweg_fold_value(&folding, of_tensor(info, partials, t));
      else
        talweg_fold_gap(&folding, 1);
    }
    return talweg_end_fold(&folding);
  }

 private:
  const talweg_image& image_;
  const std::vector<LinedTensor>& tensors_;
  std::vector<talweg_chunk> chunks_;
  std::vector<std::size_t> first_chunks_;
};

void write_all(int to, const std::vector<double>& values) {
  const char* next = reinterpret_cast<const char*>(values.data());
  std::size_t left = values.size() * sizeof(double);
  while (left > 0) {
    const ssize_t done = write(to, next, left);
    if (done <= 0) _exit(3);
    next += done;
    left -= static_cast<std::size_t>(done);
  }
}

std::vector<double> read_all(int from, std::size_t count) {
  std::vector<double> values(count);
  char* next = reinterpret_cast<char*>(values.data());
  std::size_t left = count * sizeof(double);
  while (left > 0) {
    const ssize_t done = read(from, next, left);
    REQUIRE(done > 0);
    next += done;
    left -= static_cast<std::size_t>(done);
  }
  return values;
}

/// [partial][chunk], of processes that have chunks [cuts[i], cuts[i + 1]) each.
std::vector<double> partials_of_processes(const talweg_image& image, const Model& model,
                                          const std::vector<const float*>& params,
                                          const std::vector<const void*>& gradients,
                                          const std::vector<std::uint32_t>& cuts) {
  struct Child {
    pid_t id;
    int result;
  };
  std::vector<Child> children;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t id = fork();
    if (id == 0) {
      write_all(ends[1], model.run_pass(params, gradients, cuts[i], cuts[i + 1]));
      _exit(0);
    }
    REQUIRE(id > 0);
    close(ends[1]);
    children.push_back({id, ends[0]});
  }
  const std::size_t kinds = image.step.chunk_partial_count;
  std::vector<double> partials(kinds * model.chunk_count(), std::nan(""));
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::size_t count = cuts[i + 1] - cuts[i];
    const std::vector<double> sent = read_all(children[i].result, kinds * count);
    for (std::size_t p = 0; p < kinds; ++p)
      std::copy_n(sent.begin() + p * count, count,
                  partials.begin() + p * model.chunk_count() + cuts[i]);
    close(children[i].result);
    int status = -1;
    REQUIRE(waitpid(children[i].id, &status, 0) == children[i].id);
    REQUIRE(status == 0);
  }
  return partials;
}

}  // namespace

TEST_CASE("processes that each have some chunks make the partial results of one") {
  std::vector<LinedTensor> tensors =
      lined_tensors({{100'001}, {3}, {16'384 * 5}, {0}, {700, 67}, {16'384}, {}, {33'000}});
  tensors[4].absent_in_step = 1;
  Gradients<float> made(tensors);
  const std::vector<const void*> gradients = made.of_step(1);
  const ir::Graph graph = graph_of_rule("m.Sums", kSums);
  for (const std::string& isa : isas_here()) {
    const auto program = compile_for(graph, types::ComputeType::F32, isa);
    const talweg_image& image = program->image();
    CoreRun<float> whole(program, tensors, 2, {});
    std::vector<const float*> params;
    std::vector<std::vector<float>> before;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      before.emplace_back(whole.param(t), whole.param(t) + elements_of(tensors[t].shape));
    for (const auto& values : before) params.push_back(values.data());
    whole.step(gradients);

    const Model model(image, tensors);
    Random random(isa.size());
    for (const std::size_t count : {1U, 2U, 3U, 5U, 8U, 16U}) {
      std::vector<std::uint32_t> cuts = {0, model.chunk_count()};
      while (cuts.size() <= count)  // somewhere; a process may have nothing to do
        cuts.push_back(static_cast<std::uint32_t>(random.below(model.chunk_count() + 1)));
      std::sort(cuts.begin(), cuts.end());
      const std::vector<double> partials =
          partials_of_processes(image, model, params, gradients, cuts);
      std::size_t compared = 0;
      INFO(isa << ", " << count << " processes");
      // States in their order are the reductions in theirs: nine, three a rate.
      REQUIRE(image.step.reduction_count == 9);
      REQUIRE(image.state_count == 9);
      for (std::uint32_t r = 0; r < 9; ++r) {
        const talweg_reduction_info& info = image.step.reductions[r];
        REQUIRE(info.source == TALWEG_FROM_CHUNKS);
        REQUIRE(info.rate == image.states[r].rate);
        if (info.rate == TALWEG_RATE_TENSOR) {
          for (std::uint32_t t = 0; t < tensors.size(); ++t) {
            if (gradients[t] == nullptr) continue;
            CHECK(
                same(*talweg_tensor_state(whole.core(), r, t), model.of_tensor(info, partials, t)));
            ++compared;
          }
          continue;
        }
        for (std::uint32_t g = 0; g < 2; ++g) {
          const std::uint32_t group = info.rate == TALWEG_RATE_GROUP ? g : UINT32_MAX;
          CHECK(same(*talweg_scalar_state(whole.core(), r, g),
                     model.of_tensors(info, partials, gradients, group)));
          ++compared;
        }
      }
      const auto present = tensors.size() - std::count(gradients.begin(), gradients.end(), nullptr);
      CHECK(compared == 3 * present + 6 * 2);
    }
  }
}

}  // namespace talweg::tests
