// Vectors of four where all streams are aligned, single elements elsewhere; see gpu_elements.h.
#include "compiler/codegen/gpu_elements.h"

#include "compiler/codegen/element_body.h"
#include "compiler/codegen/gpu_threads.h"
#include "compiler/codegen/matrix_layout.h"
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
        helpers_(helpers) {}

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

  /// Calls emit_vector(first, end) for each four elements of this thread, or what there is of them.
  template <class EmitVector>
  void for_vectors(EmitVector emit_vector) {
    const bool has_folds = !version_.folds.empty();
    const auto wide = [&](llvm::Value* number) { return ir_.CreateZExt(number, ir_.getInt64Ty()); };
    llvm::Value* lane = wide(part_.lane);
    llvm::Value* first = ir_.CreateMul(lane, ir_.getInt64(kWidth));
    llvm::Value* end = part_.count;
    std::uint32_t turn = TALWEG_GPU_WARP * kWidth;
    if (has_folds) {
      llvm::Value* in_segment = ir_.CreateAnd(lane, ir_.getInt64(kThreadsPerSegment - 1));
      llvm::Value* segment = ir_.CreateUDiv(lane, ir_.getInt64(kThreadsPerSegment));
      first = ir_.CreateAdd(ir_.CreateMul(segment, ir_.getInt64(TALWEG_SEGMENT_ELEMENTS)),
                            ir_.CreateMul(in_segment, ir_.getInt64(kWidth)));
      end = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, end,
                                      ir_.getInt64(TALWEG_SEGMENT_ELEMENTS));
      turn = ir::kFoldLanes;
    }
    emit_turns(ir_, ir_.getInt64(0), end, turn, [&](llvm::Value* at) {
      llvm::Value* begin = ir_.CreateAdd(at, first);
      llvm::Value* full = ir_.CreateAdd(begin, ir_.getInt64(kWidth));
      emit_vector(begin, ir_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, full, part_.count));
    });
  }

  /// Where no value depends on where an element lies in a matrix.
  void emit_anywhere() {
    ScalarScope scope(plan_, emission(1), sources_);
    ElementBody body(plan_, pass_, version_, part_.streams, scope, col_slots_);
    body.prepare(emission(kWidth));
    body.prepare(emission(1));
    llvm::Value* is_aligned = emit_is_aligned();
    for_vectors([&](llvm::Value* first, llvm::Value* end) {
      emit_vector_or_ones(
          first, end, is_aligned,
          [&] {
            emit_vector(body, {first, nullptr});
          },
          [&](llvm::Value* index) {
            emit_one(body, {index, nullptr});
          });
    });
  }

  /// Elsewhere: vectors of four elements of one row.
  void emit_in_rows() {
    col_slots_ = {tables_.pointer(TALWEG_FIELD(talweg_pass_args, col_slots)),
                  tables_.count(TALWEG_FIELD(talweg_pass_args, col_count))};
    const MatrixLayout layout(ir_, tables_, part_.tensor);
    llvm::Value* is_aligned = emit_is_aligned();
    const auto place_of = [&](llvm::Value* index) {
      return layout.place_of(ir_.CreateAdd(part_.first_element, index));
    };
    for_vectors([&](llvm::Value* first, llvm::Value* end) {
      const MatrixLayout::Place place = place_of(first);
      llvm::Value* is_in_row = ir_.CreateICmpUGE(place.length, ir_.getInt64(kWidth));
      emit_vector_or_ones(
          first, end, ir_.CreateAnd(is_aligned, is_in_row),
          [&] {
            with_row(place, emission(kWidth), [&](ElementBody& body) {
              emit_vector(body, {first, nullptr, nullptr, place.col});
            });
          },
          [&](llvm::Value* index) {
            const MatrixLayout::Place own = place_of(index);
            with_row(own, emission(1), [&](ElementBody& body) {
              emit_one(body, {index, nullptr, nullptr, own.col});
            });
          });
    });
  }

  /// Calls emit_elements(body) with the body of elements of one row.
  template <class EmitElements>
  void with_row(const MatrixLayout::Place& place, const Emission& shape,
                EmitElements emit_elements) {
    ScalarSources sources = tables_.sources_of_matrix(sources_, place.matrix);
    sources.row = place.row;
    ScalarScope scope(plan_, emission(1), sources);
    ElementBody body(plan_, pass_, version_, part_.streams, scope, col_slots_);
    body.prepare(shape);
    emit_elements(body);
  }

  /// Elements [first, end): as a vector where there are four, and `may_be_vector` holds, else
  /// emit_one(index) for each.
  template <class EmitVector, class EmitOne>
  void emit_vector_or_ones(llvm::Value* first, llvm::Value* end, llvm::Value* may_be_vector,
                           EmitVector emit_vector, EmitOne emit_one) {
    llvm::Value* is_whole =
        ir_.CreateICmpULE(ir_.CreateAdd(first, ir_.getInt64(kWidth)), part_.count);
    llvm::Value* is_vector = ir_.CreateAnd(is_whole, may_be_vector);
    emit_where(ir_, is_vector, emit_vector);
    emit_turns(ir_, first, ir_.CreateSelect(is_vector, first, end), 1, emit_one);
  }

  void emit_vector(ElementBody& body, const Position& position) {
    const Emission shape = emission(kWidth);
    body.emit(
        shape, {position}, [&](std::size_t fold, const Position&, llvm::Value* a, llvm::Value* b) {
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
    for (llvm::Value* stream : part_.streams)
      if (stream != nullptr)
        bits = ir_.CreateOr(bits, ir_.CreatePtrToInt(stream, ir_.getInt64Ty()));
    return ir_.CreateICmpEQ(ir_.CreateAnd(bits, ir_.getInt64(kAlignment - 1)), ir_.getInt64(0));
  }

  // ---- The thread's four lanes of each fold ----

  llvm::Type* lanes_type() { return llvm::FixedVectorType::get(ir_.getDoubleTy(), kWidth); }

  /// In memory of the function, which becomes registers (gpu_kernel.h).
  void start_lanes(builtins::Fold fold) {
    llvm::BasicBlock& entry = ir_.GetInsertBlock()->getParent()->getEntryBlock();
    llvm::IRBuilder<> first(&entry, entry.begin());
    lanes_.push_back(first.CreateAlloca(lanes_type()));
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
