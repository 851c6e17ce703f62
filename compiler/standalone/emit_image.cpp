// Field by field, in the order of runtime/abi/talweg_abi.h; a struct of another size than the
// header's is caught here.
#include "compiler/standalone/emit_image.h"

#include <llvm/IR/Function.h>

#include "compiler/base/check.h"
#include "compiler/standalone/constants.h"

namespace talweg::standalone {

namespace {

class ImageEmitter {
 public:
  ImageEmitter(llvm::Module& module, const Functions& functions)
      : constants_(module), functions_(functions) {}

  llvm::Constant* image(const talweg_image& image);

 private:
  using Fields = std::vector<llvm::Constant*>;

  template <class Struct>
  llvm::Constant* structure(const Fields& fields) {
    llvm::Constant* made = constants_.structure(fields);
    TALWEG_CHECK(!constants_.has_wide_pointers() || constants_.size_of(made) == sizeof(Struct),
                 "a constant is not laid out as its C struct");
    return made;
  }
  template <class Function>
  llvm::Constant* function(Function* pointer) {
    if (pointer == nullptr) return constants_.null();
    return functions_.at(reinterpret_cast<const void*>(pointer));
  }
  template <class Row>
  llvm::Constant* rows(const Row* first, std::uint32_t count) {
    Fields entries;
    for (std::uint32_t i = 0; i < count; ++i) entries.push_back(row(first[i]));
    return constants_.table(entries);
  }

  llvm::Constant* row(const talweg_hyper_info& hyper);
  llvm::Constant* row(const talweg_state_info& state);
  llvm::Constant* row(const talweg_input_info& input);
  llvm::Constant* row(const talweg_fact_info& fact);
  llvm::Constant* row(const talweg_phase& phase);
  llvm::Constant* row(const talweg_reduction_info& reduction);
  llvm::Constant* row(const talweg_kernels& kernels);
  llvm::Constant* row(const talweg_view_info& view);
  llvm::Constant* row(const char* text) { return constants_.text(text); }

  Constants constants_;
  const Functions& functions_;
};

llvm::Constant* ImageEmitter::row(const talweg_hyper_info& hyper) {
  auto& c = constants_;
  return structure<talweg_hyper_info>(
      {c.text(hyper.name), c.text(hyper.doc), c.f64(hyper.default_value), c.f64(hyper.low),
       c.f64(hyper.high), c.u8(hyper.low_closed), c.u8(hyper.high_closed), c.u8(hyper.kind),
       c.u8(hyper.rate), c.u8(hyper.bound), c.u8(hyper.rounds), c.u8(hyper.follows),
       c.u8(hyper.bound_phase)});
}

llvm::Constant* ImageEmitter::row(const talweg_state_info& state) {
  auto& c = constants_;
  return structure<talweg_state_info>(
      {c.text(state.name), c.text(state.doc), c.f64(state.initial_value), c.u32(state.stream),
       c.u8(state.rate), c.u8(state.dtype), c.u8(state.initial), c.u8(state.is_stored)});
}

llvm::Constant* ImageEmitter::row(const talweg_input_info& input) {
  auto& c = constants_;
  return structure<talweg_input_info>({c.text(input.name), c.text(input.doc), c.u32(input.stream),
                                       c.u8(input.rate), c.u8(0), c.u8(0), c.u8(0)});
}

llvm::Constant* ImageEmitter::row(const talweg_fact_info& fact) {
  auto& c = constants_;
  Fields fields{c.text(fact.text), c.u8(fact.kind)};
  for (std::size_t i = 0; i < sizeof fact.reserved; ++i) fields.push_back(c.u8(0));
  return structure<talweg_fact_info>(fields);
}

llvm::Constant* ImageEmitter::row(const talweg_phase& phase) {
  auto& c = constants_;
  return structure<talweg_phase>(
      {function(phase.model_scalars), function(phase.group_scalars), function(phase.tensor_scalars),
       function(phase.matrix_scalars), function(phase.row_scalars), function(phase.col_scalars),
       function(phase.lines), function(phase.pass), c.u32(phase.read_bytes_per_element),
       c.u32(phase.written_bytes_per_element), c.u32(phase.says_regrad)});
}

llvm::Constant* ImageEmitter::row(const talweg_reduction_info& reduction) {
  auto& c = constants_;
  return structure<talweg_reduction_info>({c.u8(reduction.fold), c.u8(reduction.source),
                                           c.u8(reduction.rate), c.u8(reduction.counts),
                                           c.u32(reduction.phase), c.u32(reduction.partial),
                                           c.u32(reduction.domain), c.u32(reduction.blocks)});
}

llvm::Constant* ImageEmitter::row(const talweg_kernels& kernels) {
  auto& c = constants_;
  return structure<talweg_kernels>({rows(kernels.phases, kernels.phase_count),
                                    rows(kernels.reductions, kernels.reduction_count),
                                    function(kernels.place),
                                    c.null(),
                                    c.u32(kernels.phase_count),
                                    c.u32(kernels.reduction_count),
                                    c.u32(kernels.model_slot_count),
                                    c.u32(kernels.group_slot_count),
                                    c.u32(kernels.tensor_slot_count),
                                    c.u32(kernels.matrix_slot_count),
                                    c.u32(kernels.row_slot_count),
                                    c.u32(kernels.col_slot_count),
                                    c.u32(kernels.chunk_partial_count),
                                    c.u32(kernels.tensor_partial_count),
                                    c.u32(kernels.group_partial_count),
                                    c.u32(kernels.matrix_partial_count),
                                    c.u32(kernels.row_partial_count),
                                    c.u32(kernels.col_partial_count),
                                    c.u32(kernels.block_partial_count),
                                    c.u32(kernels.end_phase),
                                    c.u32(kernels.origin_stream)});
}

llvm::Constant* ImageEmitter::row(const talweg_view_info& view) {
  auto& c = constants_;
  return structure<talweg_view_info>({c.text(view.name), c.text(view.doc), row(view.kernels)});
}

llvm::Constant* ImageEmitter::image(const talweg_image& image) {
  auto& c = constants_;
  const auto initial_count = image.initial_kernels == nullptr ? 0 : image.state_count;
  return structure<talweg_image>({c.u32(image.abi_version),
                                  c.u32(image.compute_dtype),
                                  c.text(image.name),
                                  c.text(image.doc),
                                  c.text(image.isa),
                                  rows(image.hypers, image.hyper_count),
                                  rows(image.states, image.state_count),
                                  rows(image.inputs, image.input_count),
                                  rows(image.facts, image.fact_count),
                                  rows(image.requirements, image.requirement_count),
                                  c.u32(image.hyper_count),
                                  c.u32(image.state_count),
                                  c.u32(image.input_count),
                                  c.u32(image.fact_count),
                                  c.u32(image.requirement_count),
                                  c.u32(image.domain_count),
                                  c.u32(image.stream_count),
                                  c.u32(image.scratch_count),
                                  c.u32(image.uses_gradient),
                                  c.u32(image.split),
                                  c.u32(image.view_count),
                                  row(image.step),
                                  function(image.initial_states),
                                  rows(image.views, image.view_count),
                                  rows(image.initial_kernels, initial_count)});
}

}  // namespace

llvm::GlobalVariable* emit_image(llvm::Module& module, const talweg_image& image,
                                 const Functions& functions) {
  llvm::Constant* value = ImageEmitter(module, functions).image(image);
  return Constants(module).variable(value, "image");
}

}  // namespace talweg::standalone
