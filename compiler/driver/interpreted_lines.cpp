// Matrices, rows and columns in the interpreter.
#include "compiler/driver/default_modes.h"
#include "compiler/driver/interpreted_kernels.h"
#include "compiler/ir/sequence.h"

namespace talweg::driver {

using builtins::Fold;
using types::Rate;

namespace {

const InterpretedKernels& kernels_of(void* self) {
  return *static_cast<const InterpretedKernels*>(self);
}

/// Where an element is: numbers of its matrix, row and column in the optimizer.
struct Place {
  std::uint64_t matrix = 0, row = 0, col = 0;
};

Place place_of(const talweg_matrix_view& view, std::uint64_t element) {
  const std::uint64_t last = element % view.last;
  element /= view.last;
  const std::uint64_t col = element % view.cols;
  element /= view.cols;
  const std::uint64_t inner = element % view.inner;
  element /= view.inner;
  const std::uint64_t row = element % view.rows;
  const std::uint64_t outer = element / view.rows;
  const std::uint64_t matrix = (outer * view.inner + inner) * view.last + last;
  return {view.first_matrix + matrix, view.first_row + matrix * view.rows + row,
          view.first_col + matrix * view.cols + col};
}

/// The element at a row and column of a matrix, numbered within the tensor.
std::uint64_t element_at(const talweg_matrix_view& view, std::uint64_t matrix, std::uint64_t row,
                         std::uint64_t col) {
  const std::uint64_t last = matrix % view.last;
  const std::uint64_t inner = matrix / view.last % view.inner;
  const std::uint64_t outer = matrix / view.last / view.inner;
  return (((outer * view.rows + row) * view.inner + inner) * view.cols + col) * view.last + last;
}

}  // namespace

/// Evaluates what has one value for a matrix, row or column; slower values came before.
void InterpretedKernels::run_at_line(ir::Machine& machine, const talweg_pass_args& args, Rate rate,
                                     std::uint64_t number) const {
  const std::size_t states = graph_.states.size();
  ir::LineContext line;
  const std::size_t inputs = graph_.inputs.size();
  line.states.resize(states);
  line.inputs.resize(inputs);
  line.reduced.resize(reductions_.size());
  for (std::size_t i = 0; i < states; ++i) {
    if (graph_.states[i].rate != rate) continue;
    line.states[i] = rate == Rate::Matrix ? args.matrix_states[number * states + i]
                                          : load(args.line_states[i], number);
  }
  for (std::size_t i = 0; i < inputs; ++i) {
    if (graph_.inputs[i].rate != rate) continue;
    line.inputs[i] = rate == Rate::Matrix ? args.matrix_inputs[number * inputs + i]
                                          : load(args.line_inputs[i], number);
  }
  for (std::size_t i = 0; i < reductions_.size(); ++i) {
    const talweg_reduction_info& info = reductions_[i].info;
    if (graph_[reductions_[i].node].rate != rate) continue;
    line.reduced[i] = rate == Rate::Matrix ? args.matrix_reduced[number * reductions_.size() + i]
                      : rate == Rate::Row
                          ? args.row_partials[info.partial * args.row_count + number]
                          : args.col_partials[info.partial * args.col_count + number];
  }
  machine.run_line(rate, line);
}

void InterpretedKernels::run_at_element(ir::Machine& machine, const talweg_pass_args& args,
                                        std::uint32_t tensor, std::uint64_t element) const {
  if (graph_.split && args.views[tensor].rows > 0) {
    const Place place = place_of(args.views[tensor], element);
    run_at_line(machine, args, Rate::Matrix, place.matrix);
    run_at_line(machine, args, Rate::Row, place.row);
    run_at_line(machine, args, Rate::Col, place.col);
  }
  ir::ElementContext context;
  load_element(args, tensor, element, context);
  machine.run_element(context);
}

/// What a matrix, row or column leaves: partial results, states.
void InterpretedKernels::leave_line(const ir::Machine& machine, const talweg_pass_args& args,
                                    Rate rate, std::uint64_t number, bool stores) const {
  const auto leave = [&](talweg_reduction_source source, double* partials, std::uint64_t count) {
    visit_partials(source, [&](const Reduced& reduced, const auto& operands) {
      const ir::Node& node = graph_[reduced.node];
      if (node.over != rate) return;  // the pass over lines leaves it
      const double a = machine[operands[0]].number, b = machine[operands[1]].number;
      partials[reduced.info.partial * count + number] =
          node.fold == Fold::Dot ? ir::fold_sequence(Fold::Dot, {&a, 1}, {&b, 1}) : a;
    });
  };
  if (rate == Rate::Matrix) leave(TALWEG_FROM_MATRICES, args.matrix_partials, args.matrix_count);
  if (rate == Rate::Row) leave(TALWEG_FROM_ROWS, args.row_partials, args.row_count);
  if (rate == Rate::Col) leave(TALWEG_FROM_COLS, args.col_partials, args.col_count);
  for (const ir::Store& kept : graph_.stores) {
    if (kept.target != ir::StoreTarget::State || graph_.states[kept.index].rate != rate) continue;
    const double value = scalar(machine, kept.value);
    if (rate == Rate::Matrix)
      args.new_matrix_states[number * graph_.states.size() + kept.index] = value;
    else if (stores)
      store(args.line_states[kept.index], number, value);
  }
}

void InterpretedKernels::run_lines_of(const talweg_pass_args& args, Rate rate,
                                      std::span<const talweg_line_chunk> chunks,
                                      bool stores) const {
  const DefaultModes modes;
  ir::Machine machine(graph_, compute_);
  for (const talweg_line_chunk& chunk : chunks) {
    const std::size_t row = std::size_t{chunk.tensor_index} * tables_.image().stream_count;
    if (args.pointers[row + TALWEG_STREAM_GRAD] == nullptr) continue;
    prepare_tensor(machine, args, chunk.tensor_index);
    if (rate != Rate::Matrix) run_at_line(machine, args, Rate::Matrix, chunk.matrix);
    for (std::uint64_t number = chunk.first; number < chunk.first + chunk.count; ++number) {
      run_at_line(machine, args, rate, number);
      leave_line(machine, args, rate, number, stores);
    }
  }
}

/// One block of rows: every row is a sequence; every column adds the rows in order.
void InterpretedKernels::run_block(ir::Machine& machine, const talweg_pass_args& args,
                                   std::uint32_t index) const {
  const talweg_line_chunk& block = args.row_blocks[index];
  const talweg_matrix_view& view = args.views[block.tensor_index];
  const std::uint64_t matrix = block.matrix - view.first_matrix;
  const std::uint64_t first_row = block.first - view.first_row - matrix * view.rows;
  double* of_block =
      args.block_partials + view.first_block_col + (index - view.first_block) * view.cols;
  for (const Reduced& reduced : reductions_)
    for (std::uint64_t c = 0; c < view.cols && reduced.info.blocks != UINT32_MAX; ++c)
      of_block[reduced.info.blocks * args.block_col_count + c] =
          ir::fold_start(graph_[reduced.node].fold);
  for (std::uint64_t r = 0; r < block.count; ++r) {
    std::vector<std::vector<double>> first(reductions_.size()), second(reductions_.size());
    for (std::uint64_t c = 0; c < view.cols; ++c) {
      run_at_element(machine, args, block.tensor_index, element_at(view, matrix, first_row + r, c));
      for (std::size_t i = 0; i < reductions_.size(); ++i) {
        const ir::Node& node = graph_[reductions_[i].node];
        if (!folds_lines(node)) continue;
        const double a = machine[node.operands[0]].number;
        const double b = machine[node.operands[1]].number;
        first[i].push_back(a);
        if (node.fold == Fold::Dot) second[i].push_back(b);
        if (reductions_[i].info.blocks == UINT32_MAX) continue;
        double& sum = of_block[reductions_[i].info.blocks * args.block_col_count + c];
        sum = ir::join(node.fold, sum, a, b);
      }
    }
    for (std::size_t i = 0; i < reductions_.size(); ++i)
      if (folds_lines(graph_[reductions_[i].node]) && reductions_[i].info.blocks == UINT32_MAX)
        args.row_partials[reductions_[i].info.partial * args.row_count + block.first + r] =
            ir::fold_sequence(graph_[reductions_[i].node].fold, first[i], second[i]);
  }
}

void InterpretedKernels::run_blocks(const talweg_pass_args& args, std::uint32_t begin,
                                    std::uint32_t end) const {
  const DefaultModes modes;
  ir::Machine machine(graph_, compute_);
  for (std::uint32_t i = begin; i < end; ++i) {
    const std::uint32_t tensor = args.row_blocks[i].tensor_index;
    const std::size_t row = std::size_t{tensor} * tables_.image().stream_count;
    if (args.pointers[row + TALWEG_STREAM_GRAD] == nullptr) continue;
    prepare_tensor(machine, args, tensor);
    run_block(machine, args, i);
  }
}

namespace {

template <Rate rate, bool stores>
void run_range(void* self, const talweg_pass_args* args, std::uint32_t begin, std::uint32_t end) {
  const talweg_line_chunk* chunks = rate == Rate::Matrix ? args->matrix_chunks
                                    : rate == Rate::Row  ? args->row_chunks
                                                         : args->col_chunks;
  kernels_of(self).run_lines_of(*args, rate, {chunks + begin, chunks + end}, stores);
}

}  // namespace

void InterpretedKernels::add_line_functions(talweg_phase& phase, bool is_last) const {
  phase.matrix_scalars = run_range<Rate::Matrix, false>;
  phase.row_scalars = run_range<Rate::Row, false>;
  phase.col_scalars = run_range<Rate::Col, false>;
  if (is_last) return;
  phase.lines = [](void* self, const talweg_pass_args* args, std::uint32_t begin,
                   std::uint32_t end) { kernels_of(self).run_blocks(*args, begin, end); };
}

/// States of rows and columns lie where they are read: they are stored when nothing is evaluated
/// any more.
talweg_phase InterpretedKernels::line_stores() const {
  talweg_phase phase{};
  phase.row_scalars = run_range<Rate::Row, true>;
  phase.col_scalars = run_range<Rate::Col, true>;
  return phase;
}

}  // namespace talweg::driver
