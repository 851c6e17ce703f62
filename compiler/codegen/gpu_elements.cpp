// Vectors of four where all streams are aligned, single elements elsewhere; see gpu_elements.h.
#include "compiler/codegen/gpu_elements.h"

#include <algorithm>

#include "compiler/codegen/element_body.h"
#include "compiler/codegen/gpu_places.h"
#include "compiler/codegen/gpu_threads.h"
#include "compiler/ir/sequence.h"
#include "runtime/abi/talweg_gpu_abi.h"

namespace talweg::codegen {

namespace {

constexpr std::uint32_t kWidth = 4;       // elements of a vector: more would spill registers
constexpr std::uint32_t kAlignment = 16;  // of vectors in memory, as the widest access wants it
/// Threads that have the lanes of one segment.
constexpr std::uint32_t kThreadsPerSegment = ir::kFoldLanes / kWidth;
static_assert(2 * kThreadsPerSegment == TALWEG_GPU_WARP);

class GpuElements {
 public:
  GpuElements(llvm::IRBuilder<>& ir, const plan::Plan& plan, const plan::ElementPass& pass,
              const plan::LoopVersion& version, const GpuPart& part, const ScalarSources& sources,
              const PassTables& tables, HelperFunctions& helpers)
      : ir_(ir),
        plan_(plan),
        pass_(pass),
        version_(version),
        part_(part),
        sources_(sources),
        tables_(tables),
        helpers_(helpers),
        streams_(part.load_streams()) {}

  std::vector<llvm::Value*> emit() {
    for (const plan::ElementFold& fold : version_.folds) start_lanes(fold_of(fold));
    if (reads_lines(plan_, version_))
      emit_in_rows();
    else
      emit_anywhere();
    std::vector<llvm::Value*> segments;
    for (std::size_t i = 0; i < lanes_.size(); ++i)
      segments.push_back(folded(fold_of(version_.folds[i]), load_lanes(i)));
    return segments;
  }

 private:
  Emission emission(std::uint32_t width) {
    Emission result{Lanes(ir_, width), plan_.compute, &helpers_};
    if (width > 1) result.vector_alignment = kAlignment;
    return result;
  }

  builtins::Fold fold_of(const plan::ElementFold& fold) const {
    return plan_.partials_of(fold.kind)[fold.partial].fold;
  }

  llvm::Value* wide(llvm::Value* number) { return ir_.CreateZExt(number, ir_.getInt64Ty()); }

  /// The elements of this thread: four from `first` on, four more `turn` behind `first`, and so on
  /// before `end`. i32.
  struct Own {
    llvm::Value *first, *end;
    std::uint32_t turn;
  };

  Own own_elements() {
    if (version_.folds.empty())
      return {ir_.CreateMul(part_.lane, ir_.getInt32(kWidth)), part_.count,
              TALWEG_GPU_WARP * kWidth};
    llvm::Value* in_segment = ir_.CreateAnd(part_.lane, ir_.getInt32(kThreadsPerSegment - 1));
    llvm::Value* segment =
        ir_.CreateMul(ir_.CreateUDiv(part_.lane, ir_.getInt32(kThreadsPerSegment)),
                      ir_.getInt32(TALWEG_SEGMENT_ELEMENTS));
    return {
        ir_.CreateAdd(segment, ir_.CreateMul(in_segment, ir_.getInt32(kWidth))),
        ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, part_.count,
                                  ir_.CreateAdd(segment, ir_.getInt32(TALWEG_SEGMENT_ELEMENTS))),
        ir::kFoldLanes};
  }

  /// How many vectors a turn takes at once, so that several loads are under way.
  [[nodiscard]] std::uint32_t vectors_at_once() const {
    constexpr std::size_t kLoads = 4, kFewNodes = 24;
    const std::size_t loads = std::max<std::size_t>(version_.loads.size(), 1);
    if (version_.nodes.size() > kFewNodes || loads >= kLoads) return 1;
    return static_cast<std::uint32_t>(kLoads / loads);
  }

  /// Where no value depends on where an element lies in a matrix: whole vectors first, then what is
  /// left of the last one, or everything where vectors are not aligned.
  void emit_anywhere() {
    ScalarScope scope(plan_, emission(1), sources_);
    ElementBody body(plan_, pass_, version_, streams_, scope, col_slots_);
    body.prepare(emission(kWidth));
    const Own own = own_elements();
    llvm::Value* whole = ir_.CreateAnd(own.end, ir_.getInt32(~(kWidth - 1)));
    whole = ir_.CreateSelect(emit_is_aligned(), whole, ir_.getInt32(0));
    llvm::AllocaInst* reached = add_variable(ir_.getInt32Ty());
    ir_.CreateStore(own.first, reached);
    if (vectors_at_once() > 1) emit_turns_of(vectors_at_once(), body, own, whole, reached);
    emit_turns_of(1, body, own, whole, reached);
    llvm::Value* first = ir_.CreateLoad(ir_.getInt32Ty(), reached);
    emit_where(ir_, ir_.CreateICmpULT(first, own.end), [&] {
      const std::vector<llvm::Value*> streams = part_.load_streams();
      ElementBody rest(plan_, pass_, version_, streams, scope, col_slots_);
      rest.prepare(emission(1));
      emit_ones(first, own.end, own.turn, [&](llvm::Value* index) {
        emit_one(rest, {wide(index), nullptr});
      });
    });
  }

  /// Takes `count` vectors a turn from element `reached` on while there are so many before `whole`.
  void emit_turns_of(std::uint32_t count, ElementBody& body, const Own& own, llvm::Value* whole,
                     llvm::AllocaInst* reached) {
    llvm::Value* end = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::usub_sat, whole,
                                                 ir_.getInt32((count - 1) * own.turn));
    llvm::Value* from = ir_.CreateLoad(ir_.getInt32Ty(), reached);
    keep_rolled(emit_turns(ir_, from, end, count * own.turn, [&](llvm::Value* at) {
      std::vector<Position> positions;
      for (std::uint32_t i = 0; i < count; ++i)
        positions.push_back({ir_.CreateNUWAdd(wide(at), ir_.getInt64(i * own.turn)), nullptr});
      emit_vectors(body, positions);
      ir_.CreateStore(ir_.CreateNUWAdd(at, ir_.getInt32(count * own.turn)), reached);
    }));
  }

  /// Calls emit_element(index) one by one for those of the thread's elements that are from `first`
  /// on and before `end`.
  template <class EmitElement>
  void emit_ones(llvm::Value* first, llvm::Value* end, std::uint32_t turn,
                 EmitElement emit_element) {
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    const auto block = [&](const char* name) {
      return llvm::BasicBlock::Create(ir_.getContext(), name, before->getParent());
    };
    llvm::BasicBlock *one = block("one"), *done = block("done");
    ir_.CreateCondBr(ir_.CreateICmpULT(first, end), one, done);
    ir_.SetInsertPoint(one);
    llvm::PHINode* index = ir_.CreatePHI(ir_.getInt32Ty(), 2);
    emit_element(index);
    llvm::Value* next = ir_.CreateNUWAdd(index, ir_.getInt32(1));
    llvm::Value* is_of_others =
        ir_.CreateICmpEQ(ir_.CreateAnd(next, ir_.getInt32(kWidth - 1)), ir_.getInt32(0));
    next =
        ir_.CreateSelect(is_of_others, ir_.CreateNUWAdd(next, ir_.getInt32(turn - kWidth)), next);
    index->addIncoming(first, before);
    index->addIncoming(next, ir_.GetInsertBlock());
    keep_rolled(ir_.CreateCondBr(ir_.CreateICmpULT(next, end), one, done));
    ir_.SetInsertPoint(done);
  }

  /// Elsewhere: vectors of four elements of one row where rows are contiguous.
  void emit_in_rows() {
    col_slots_ = {tables_.pointer(TALWEG_FIELD(talweg_pass_args, col_slots)),
                  tables_.count(TALWEG_FIELD(talweg_pass_args, col_count))};
    const MatrixLayout layout(ir_, tables_, part_.tensor);
    const Own own = own_elements();
    llvm::Value* is_contiguous = layout.is_contiguous();
    emit_where(ir_, is_contiguous, [&] { emit_in_contiguous_rows(layout, own); });
    emit_where(ir_, ir_.CreateNot(is_contiguous), [&] {
      emit_ones(own.first, own.end, own.turn, [&](llvm::Value* index) {
        emit_one_in_row(layout.place_of(ir_.CreateAdd(part_.first_element, wide(index))), index);
      });
    });
  }

  void emit_in_contiguous_rows(const MatrixLayout& layout, const Own& own) {
    GpuPlaces places(ir_, layout, part_.first_element);
    llvm::Value* is_aligned = emit_is_aligned();
    llvm::AllocaInst* reached = add_variable(ir_.getInt32Ty());
    ir_.CreateStore(own.first, reached);
    // (Loads of a second vector would wait behind stores of the first.)
    const std::uint32_t most = version_.stores.empty() ? std::min(vectors_at_once(), 2U) : 1;
    for (std::uint32_t count = most; count > 0; count /= 2)
      emit_turns_in_rows(count, places, own, is_aligned, reached);
  }

  /// Takes `count` vectors a turn from element `reached` on, one by one where one of them is none.
  void emit_turns_in_rows(std::uint32_t count, GpuPlaces& places, const Own& own,
                          llvm::Value* is_aligned, llvm::AllocaInst* reached) {
    llvm::Value* ahead = ir_.getInt32((count - 1) * own.turn);
    llvm::Value* end = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::usub_sat, own.end, ahead);
    llvm::Value* from = ir_.CreateLoad(ir_.getInt32Ty(), reached);
    keep_rolled(emit_turns(ir_, from, end, count * own.turn, [&](llvm::Value* at) {
      llvm::Value* behind = ir_.CreateNUWAdd(at, ir_.getInt32(count * own.turn));
      std::vector<llvm::Value*> firsts;
      std::vector<MatrixLayout::Place> found;
      llvm::Value* are_vectors = is_aligned;
      for (std::uint32_t i = 0; i < count; ++i) {
        firsts.push_back(ir_.CreateNUWAdd(at, ir_.getInt32(i * own.turn)));
        found.push_back(places.of(firsts[i]));
        llvm::Value* is_in_row = ir_.CreateICmpUGE(found[i].length, ir_.getInt64(kWidth));
        are_vectors = ir_.CreateAnd(are_vectors, is_in_row);
      }
      llvm::Value* behind_vector = ir_.CreateNUWAdd(firsts.back(), ir_.getInt32(kWidth));
      are_vectors = ir_.CreateAnd(are_vectors, ir_.CreateICmpULE(behind_vector, own.end));
      emit_where(ir_, are_vectors, [&] {
        for (std::uint32_t i = 0; i < count; ++i)
          with_row(found[i], emission(kWidth), [&](ElementBody& body) {
            emit_vectors(body, {{wide(firsts[i]), nullptr, nullptr, found[i].col}});
          });
      });
      llvm::Value* rest = ir_.CreateSelect(are_vectors, behind, at);
      emit_ones(rest, ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, behind, own.end), own.turn,
                [&](llvm::Value* index) { emit_one_in_row(places.of(index), index); });
      ir_.CreateStore(behind, reached);
    }));
  }

  void emit_one_in_row(const MatrixLayout::Place& place, llvm::Value* index) {
    with_row(place, emission(1), [&](ElementBody& body) {
      emit_one(body, {wide(index), nullptr, nullptr, place.col});
    });
  }

  /// Calls emit_elements(body) with the body of elements of one row.
  template <class EmitElements>
  void with_row(const MatrixLayout::Place& place, const Emission& shape,
                EmitElements emit_elements) {
    ScalarSources sources = tables_.sources_of_matrix(sources_, place.matrix);
    sources.row = place.row;
    ScalarScope scope(plan_, emission(1), sources);
    ElementBody body(plan_, pass_, version_, streams_, scope, col_slots_);
    body.prepare(shape);
    emit_elements(body);
  }

  void emit_vectors(ElementBody& body, const std::vector<Position>& positions) {
    const Emission shape = emission(kWidth);
    body.emit(
        shape, positions, [&](std::size_t fold, const Position&, llvm::Value* a, llvm::Value* b) {
          ir_.CreateStore(emit_joined(shape, fold_of(version_.folds[fold]), load_lanes(fold), a, b),
                          lanes_[fold]);
        });
  }

  void emit_one(ElementBody& body, const Position& position) {
    body.emit(emission(1), {position},
              [&](std::size_t fold, const Position&, llvm::Value* a, llvm::Value* b) {
                join_one(fold, position.index, a, b);
              });
  }

  /// Whether vectors of every stream are aligned.
  llvm::Value* emit_is_aligned() {
    llvm::Value* bits = ir_.getInt64(0);
    for (llvm::Value* stream : streams_)
      if (stream != nullptr)
        bits = ir_.CreateOr(bits, ir_.CreatePtrToInt(stream, ir_.getInt64Ty()));
    return ir_.CreateICmpEQ(ir_.CreateAnd(bits, ir_.getInt64(kAlignment - 1)), ir_.getInt64(0));
  }

  /// In memory of the function, which becomes registers (gpu_kernel.h).
  llvm::AllocaInst* add_variable(llvm::Type* type) {
    llvm::BasicBlock& entry = ir_.GetInsertBlock()->getParent()->getEntryBlock();
    return llvm::IRBuilder<>(&entry, entry.begin()).CreateAlloca(type);
  }

  // ---- The thread's four lanes of each fold ----

  llvm::Type* lanes_type() { return llvm::FixedVectorType::get(ir_.getDoubleTy(), kWidth); }

  void start_lanes(builtins::Fold fold) {
    lanes_.push_back(add_variable(lanes_type()));
    ir_.CreateStore(emission(kWidth).lanes.number(ComputeType::F64, ir::fold_start(fold)),
                    lanes_.back());
  }

  llvm::Value* load_lanes(std::size_t fold) { return ir_.CreateLoad(lanes_type(), lanes_[fold]); }

  /// The value of one element, to the lane of its place among four.
  void join_one(std::size_t fold, llvm::Value* index, llvm::Value* a, llvm::Value* b) {
    const Emission shape = emission(kWidth);
    const auto splat = [&](llvm::Value* value) {
      return value == nullptr ? nullptr : shape.lanes.splat(value);
    };
    llvm::Value* before = load_lanes(fold);
    llvm::Value* joined =
        emit_joined(shape, fold_of(version_.folds[fold]), before, splat(a), splat(b));
    llvm::SmallVector<llvm::Constant*, kWidth> numbers;
    for (std::uint32_t i = 0; i < kWidth; ++i) numbers.push_back(ir_.getInt64(i));
    llvm::Value* place = ir_.CreateAnd(index, ir_.getInt64(kWidth - 1));
    llvm::Value* is_own =
        ir_.CreateICmpEQ(ir_.CreateVectorSplat(kWidth, place), llvm::ConstantVector::get(numbers));
    ir_.CreateStore(ir_.CreateSelect(is_own, joined, before), lanes_[fold]);
  }

  /// All lanes of a segment by halves: those of other threads, then this one's.
  llvm::Value* folded(builtins::Fold fold, llvm::Value* lanes) {
    const builtins::Fold kind = fold == builtins::Fold::Dot ? builtins::Fold::Sum : fold;
    const Emission one{Lanes(ir_, 1), ComputeType::F64, &helpers_};
    llvm::SmallVector<llvm::Value*, kWidth> values;
    for (std::uint64_t i = 0; i < kWidth; ++i) {
      llvm::Value* value = ir_.CreateExtractElement(lanes, i);
      for (std::uint32_t half = kThreadsPerSegment / 2; half > 0; half /= 2)
        value = emit_combine(one, kind, value, emit_exchange(ir_, value, half));
      values.push_back(value);
    }
    for (std::size_t half = kWidth / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i)
        values[i] = emit_combine(one, kind, values[i], values[i + half]);
    return values[0];
  }

  llvm::IRBuilder<>& ir_;
  const plan::Plan& plan_;
  const plan::ElementPass& pass_;
  const plan::LoopVersion& version_;
  const GpuPart& part_;
  const ScalarSources& sources_;
  const PassTables& tables_;
  HelperFunctions& helpers_;
  const std::vector<llvm::Value*> streams_;
  LineSlots col_slots_;
  std::vector<llvm::Value*> lanes_;
};

}  // namespace

std::vector<llvm::Value*> emit_gpu_elements(llvm::IRBuilder<>& ir, const plan::Plan& plan,
                                            const plan::ElementPass& pass,
                                            const plan::LoopVersion& version, const GpuPart& part,
                                            const ScalarSources& sources, const PassTables& tables,
                                            HelperFunctions& helpers) {
  return GpuElements(ir, plan, pass, version, part, sources, tables, helpers).emit();
}

}  // namespace talweg::codegen
