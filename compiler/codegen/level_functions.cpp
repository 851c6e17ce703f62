// Tensors and matrices are computed one by one, rows and columns a vector at a time.
#include "compiler/codegen/level_functions.h"

#include "compiler/base/check.h"
#include "compiler/codegen/abi_access.h"
#include "compiler/codegen/pass_tables.h"
#include "compiler/codegen/scalar_program.h"

namespace talweg::codegen {

namespace {

using plan::Level;
using plan::PartialKind;

/// Tensors, or the matrices of a chunk.
class ScalarLevel {
 public:
  ScalarLevel(llvm::Function& function, const plan::Plan& plan, Level level,
              const plan::ScalarProgram& program, HelperFunctions& helpers)
      : function_(function),
        plan_(plan),
        level_(level),
        program_(program),
        helpers_(helpers),
        ir_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)),
        tables_(ir_, plan, function.getArg(1)) {}

  void emit() {
    emit_index_loop(ir_, function_, [&](llvm::Value* index, llvm::BasicBlock* next) {
      level_ == Level::Tensor ? emit_tensor(index, next) : emit_chunk(index, next);
    });
  }

 private:
  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(function_.getContext(), name, &function_);
  }

  void leave_out(llvm::Value* tensor, llvm::BasicBlock* next) {
    llvm::BasicBlock* present = block("present");
    ir_.CreateCondBr(tables_.is_left_out(tensor), next, present);
    ir_.SetInsertPoint(present);
  }

  void emit_tensor(llvm::Value* tensor, llvm::BasicBlock* next) {
    leave_out(tensor, next);
    ScalarSources sources = tables_.sources_of(tensor);
    const auto row = [&](Offset offset, std::size_t columns) {
      return tables_.row(tables_.pointer(offset), tensor, columns);
    };
    const std::size_t states = plan_.graph.states.size();
    sources.facts = row(TALWEG_FIELD(talweg_pass_args, tensor_facts), plan_.graph.facts.size());
    sources.states = row(TALWEG_FIELD(talweg_pass_args, tensor_states), states);
    sources.inputs = row(TALWEG_FIELD(talweg_pass_args, tensor_inputs), plan_.graph.inputs.size());
    sources.reduced = row(TALWEG_FIELD(talweg_pass_args, tensor_reduced), plan_.reductions.size());
    emit_one(sources, tensor, sources.tensor_slots,
             row(TALWEG_FIELD(talweg_pass_args, new_tensor_states), states),
             TALWEG_FIELD(talweg_pass_args, tensor_partials),
             TALWEG_FIELD(talweg_pass_args, tensor_count), PartialKind::Tensor);
  }

  void emit_chunk(llvm::Value* index, llvm::BasicBlock* next) {
    llvm::Value* chunk =
        entry_address(ir_, tables_.pointer(TALWEG_FIELD(talweg_pass_args, matrix_chunks)), index,
                      sizeof(talweg_line_chunk));
    const auto load32 = [&](std::size_t offset) {
      return ir_.CreateZExt(load_field(ir_, ir_.getInt32Ty(), chunk, offset), ir_.getInt64Ty());
    };
    llvm::Value* tensor = load32(offsetof(talweg_line_chunk, tensor_index));
    leave_out(tensor, next);
    llvm::Value* first =
        load_field(ir_, ir_.getInt64Ty(), chunk, offsetof(talweg_line_chunk, first));
    llvm::Value* end = ir_.CreateAdd(first, load32(offsetof(talweg_line_chunk, count)));
    const ScalarSources of_tensor = tables_.sources_of(tensor);
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    llvm::BasicBlock* turn = block("matrix");
    ir_.CreateCondBr(ir_.CreateICmpULT(first, end), turn, next);
    ir_.SetInsertPoint(turn);
    llvm::PHINode* matrix = ir_.CreatePHI(ir_.getInt64Ty(), 2);
    matrix->addIncoming(first, before);
    emit_matrix(of_tensor, matrix);
    llvm::Value* following = ir_.CreateNUWAdd(matrix, ir_.getInt64(1));
    matrix->addIncoming(following, ir_.GetInsertBlock());
    llvm::BasicBlock* last = block("last");
    ir_.CreateCondBr(ir_.CreateICmpULT(following, end), turn, last);
    ir_.SetInsertPoint(last);
  }

  void emit_matrix(const ScalarSources& of_tensor, llvm::Value* matrix) {
    ScalarSources sources = tables_.sources_of_matrix(of_tensor, matrix);
    sources.row_slots = {};
    const auto row = [&](Offset offset, std::size_t columns) {
      return tables_.row(tables_.pointer(offset), matrix, columns);
    };
    const std::size_t states = plan_.graph.states.size();
    sources.states = row(TALWEG_FIELD(talweg_pass_args, matrix_states), states);
    sources.inputs = row(TALWEG_FIELD(talweg_pass_args, matrix_inputs), plan_.graph.inputs.size());
    sources.reduced = row(TALWEG_FIELD(talweg_pass_args, matrix_reduced), plan_.reductions.size());
    emit_one(sources, matrix, sources.matrix_slots,
             row(TALWEG_FIELD(talweg_pass_args, new_matrix_states), states),
             TALWEG_FIELD(talweg_pass_args, matrix_partials),
             TALWEG_FIELD(talweg_pass_args, matrix_count), PartialKind::Matrix);
  }

  void emit_one(ScalarSources sources, llvm::Value* number, llvm::Value* slots,
                llvm::Value* new_states, Offset partials, Offset count, PartialKind kind) {
    sources.program = &program_;
    ScalarScope scope(plan_, {Lanes(ir_, 1), plan_.compute, &helpers_}, sources);
    const Setting setting{plan_, ir_, sources.args, scope};
    compute_program(setting, program_);
    for (const std::uint32_t i : program_.partials) partial_value(setting, partial_of(kind, i));
    store_slots(setting, program_, plan_.slots_of(level_), slots);
    store_states(setting, program_, new_states);
    for (const std::uint32_t i : program_.partials) {
      llvm::Value* start = emit_partial_start(ir_, tables_.pointer(partials), tables_.count(count),
                                              partial_of(kind, i).place);
      ir_.CreateStore(partial_value(setting, partial_of(kind, i)),
                      ir_.CreateGEP(ir_.getDoubleTy(), start, number));
    }
  }

  const plan::Partial& partial_of(PartialKind kind, std::uint32_t i) {
    return plan_.partials_of(kind)[i];
  }

  llvm::Function& function_;
  const plan::Plan& plan_;
  const Level level_;
  const plan::ScalarProgram& program_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  PassTables tables_;
};

/// The rows, or columns, of a chunk.
class LineLevel {
 public:
  LineLevel(llvm::Function& function, const plan::Plan& plan, Level level,
            const plan::ScalarProgram& program, HelperFunctions& helpers)
      : function_(function),
        plan_(plan),
        level_(level),
        rate_(level == Level::Row ? types::Rate::Row : types::Rate::Col),
        program_(program),
        helpers_(helpers),
        ir_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)),
        tables_(ir_, plan, function.getArg(1)),
        slots_(load_line_slots(ir_, function.getArg(1), level)),
        partials_(tables_.pointer(level == Level::Row
                                      ? TALWEG_FIELD(talweg_pass_args, row_partials)
                                      : TALWEG_FIELD(talweg_pass_args, col_partials))),
        states_(tables_.pointer(TALWEG_FIELD(talweg_pass_args, line_states))),
        inputs_(tables_.pointer(TALWEG_FIELD(talweg_pass_args, line_inputs))),
        slot_(plan.graph.nodes.size(), kNone),
        place_(plan.graph.nodes.size(), kNone) {
    const auto& of_level = plan.slots_of(level);
    for (std::uint32_t i = 0; i < of_level.size(); ++i) slot_[of_level[i].index] = i;
    for (const plan::PlannedReduction& reduction : plan.reductions)
      if (plan.graph[reduction.node].rate == rate_)
        place_[reduction.node.index] = plan.partials_of(reduction.kind)[reduction.partial].place;
  }

  void emit() {
    emit_index_loop(ir_, function_,
                    [&](llvm::Value* index, llvm::BasicBlock* next) { emit_chunk(index, next); });
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  using Values = std::vector<llvm::Value*>;  // by node

  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(function_.getContext(), name, &function_);
  }

  void emit_chunk(llvm::Value* index, llvm::BasicBlock* next) {
    llvm::Value* chunk = entry_address(
        ir_,
        tables_.pointer(level_ == Level::Row ? TALWEG_FIELD(talweg_pass_args, row_chunks)
                                             : TALWEG_FIELD(talweg_pass_args, col_chunks)),
        index, sizeof(talweg_line_chunk));
    const auto load32 = [&](std::size_t offset) {
      return ir_.CreateZExt(load_field(ir_, ir_.getInt32Ty(), chunk, offset), ir_.getInt64Ty());
    };
    const auto load64 = [&](std::size_t offset) {
      return load_field(ir_, ir_.getInt64Ty(), chunk, offset);
    };
    llvm::Value* tensor = load32(offsetof(talweg_line_chunk, tensor_index));
    llvm::BasicBlock* present = block("present");
    ir_.CreateCondBr(tables_.is_left_out(tensor), next, present);
    ir_.SetInsertPoint(present);
    ScalarSources sources = tables_.sources_of_matrix(tables_.sources_of(tensor),
                                                      load64(offsetof(talweg_line_chunk, matrix)));
    sources.row_slots = {};
    ScalarScope scope(plan_, {Lanes(ir_, 1), plan_.compute, &helpers_}, sources);
    // Slower values first: they must stand before both loops.
    for_operands([&](ir::NodeId id) { scope.value(id); });
    llvm::Value* first = load64(offsetof(talweg_line_chunk, first));
    llvm::Value* count = load32(offsetof(talweg_line_chunk, count));
    const std::uint32_t width = helpers_.machine().lanes(plan_.compute);
    llvm::Value* whole = ir_.CreateAnd(count, ir_.getInt64(~(std::uint64_t{width} - 1)));
    const auto emit_part = [&](llvm::Value* begin, llvm::Value* end, std::uint32_t lanes) {
      emit_turns(ir_, begin, end, lanes, [&](llvm::Value* at) {
        emit_turn({Lanes(ir_, lanes), plan_.compute, &helpers_}, ir_.CreateAdd(first, at), scope);
      });
    };
    emit_part(ir_.getInt64(0), whole, width);
    if (width > 1) emit_part(whole, count, 1);
  }

  /// Calls visit(id) for what the program reads that is slower than its own rate.
  template <class Visit>
  void for_operands(Visit visit) {
    const auto visit_slower = [&](ir::NodeId id) {
      if (plan_.graph[id].rate != rate_) visit(id);
    };
    for (const ir::NodeId id : program_.nodes) {
      const ir::Node& node = plan_.graph[id];
      visit_slower(id);
      for (int i = 0; node.kind != ir::NodeKind::Reduce && i < node.operand_count(); ++i)
        visit_slower(node.operands[static_cast<std::size_t>(i)]);
    }
    for (const std::uint32_t i : program_.stores) visit_slower(plan_.graph.stores[i].value);
    for (const std::uint32_t i : program_.partials) {
      visit_slower(partial(i).a);
      if (partial(i).b.valid()) visit_slower(partial(i).b);
    }
  }

  const plan::Partial& partial(std::uint32_t i) {
    return plan_.partials_of(plan::kind_left_by(level_))[i];
  }

  llvm::Value* value(const Emission& emission, Values& values, ir::NodeId id, llvm::Value* number,
                     ScalarScope& scope) {
    llvm::Value*& known = values[id.index];
    if (known != nullptr) return known;
    if (plan_.graph[id].rate != rate_) return known = emission.lanes.splat(scope.value(id));
    TALWEG_CHECK(slot_[id.index] != kNone, "a value of another program without a slot");
    return known = emit_line_load(emission, emit_slot_start(ir_, slots_, slot_[id.index]), number,
                                  plan_.graph[id].type);
  }

  llvm::Value* emit_node(const Emission& emission, Values& values, ir::NodeId id,
                         llvm::Value* number, ScalarScope& scope) {
    const ir::Node& node = plan_.graph[id];
    if (node.kind == ir::NodeKind::State || node.kind == ir::NodeKind::Input) {
      llvm::Value* arrays = node.kind == ir::NodeKind::State ? states_ : inputs_;
      llvm::Value* start = load_pointer_at(ir_, arrays, node.index);
      return emit_line_load(emission, start, number, ir::ValueType::Array);
    }
    if (node.kind == ir::NodeKind::Reduce) {
      llvm::Value* start = emit_partial_start(ir_, partials_, slots_.count, place_[id.index]);
      return emit_line_load(emission, start, number, ir::ValueType::Scalar);
    }
    llvm::SmallVector<llvm::Value*, 3> operands;
    for (int i = 0; i < node.operand_count(); ++i)
      operands.push_back(
          value(emission, values, node.operands[static_cast<std::size_t>(i)], number, scope));
    return emit_operation(emission, node, operand_value_type(plan_.graph, node), operands);
  }

  /// What a reduction folds, as float64.
  llvm::Value* partial_value(const Emission& emission, Values& values, const plan::Partial& partial,
                             llvm::Value* number, ScalarScope& scope) {
    const auto widened = [&](ir::NodeId id) {
      llvm::Value* operand = value(emission, values, id, number, scope);
      llvm::Type* wide = emission.lanes.number_type(ComputeType::F64);
      return operand->getType() == wide ? operand : ir_.CreateFPExt(operand, wide);
    };
    llvm::Value* a = widened(partial.a);
    return partial.b.valid() ? ir_.CreateFMul(a, widened(partial.b)) : a;
  }

  /// Everything is read before anything is stored.
  void emit_turn(const Emission& emission, llvm::Value* number, ScalarScope& scope) {
    Values values(plan_.graph.nodes.size());
    for (const ir::NodeId id : program_.nodes)
      if (plan_.graph[id].rate == rate_)
        values[id.index] = emit_node(emission, values, id, number, scope);
    std::vector<llvm::Value*> partials, states;
    for (const std::uint32_t i : program_.partials)
      partials.push_back(partial_value(emission, values, partial(i), number, scope));
    for (const std::uint32_t i : program_.stores)
      states.push_back(value(emission, values, plan_.graph.stores[i].value, number, scope));
    for (const std::uint32_t slot : program_.slots) {
      const ir::NodeId id = plan_.slots_of(level_)[slot];
      emit_line_store(emission, emit_slot_start(ir_, slots_, slot), number, plan_.graph[id].type,
                      values[id.index]);
    }
    for (std::size_t i = 0; i < partials.size(); ++i)
      emit_line_store(
          emission,
          emit_partial_start(ir_, partials_, slots_.count, partial(program_.partials[i]).place),
          number, ir::ValueType::Scalar, partials[i]);
    for (std::size_t i = 0; i < states.size(); ++i) {
      const std::uint32_t state = plan_.graph.stores[program_.stores[i]].index;
      emit_line_store(emission, load_pointer_at(ir_, states_, state), number, ir::ValueType::Array,
                      states[i]);
    }
  }

  llvm::Function& function_;
  const plan::Plan& plan_;
  const Level level_;
  const types::Rate rate_;
  const plan::ScalarProgram& program_;
  HelperFunctions& helpers_;
  llvm::IRBuilder<> ir_;
  PassTables tables_;
  const LineSlots slots_;
  llvm::Value* partials_;
  llvm::Value* states_;
  llvm::Value* inputs_;
  std::vector<std::uint32_t> slot_;   // by node
  std::vector<std::uint32_t> place_;  // by reduction: of its values among partial results
};

}  // namespace

void emit_level_function(llvm::Function& function, const plan::Plan& plan, Level level,
                         std::uint32_t phase, HelperFunctions& helpers) {
  const plan::ScalarProgram& program = plan.phases[phase][level];
  if (level == Level::Row || level == Level::Col)
    LineLevel(function, plan, level, program, helpers).emit();
  else
    ScalarLevel(function, plan, level, program, helpers).emit();
}

}  // namespace talweg::codegen
