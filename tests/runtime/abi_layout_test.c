/* Layouts that compiled rules, caches and generated libraries depend on. They are checked while
 * this compiles, as C11: a failure here means a new ABI version. */
#include <stddef.h>

#include "runtime/abi/talweg_abi.h"
#include "runtime/abi/talweg_tensor.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define PLACE(type, member, bytes) \
  _Static_assert(offsetof(type, member) == (bytes), "place of " #type "." #member)

_Static_assert(TALWEG_ABI_VERSION == 1, "these are the layouts of version 1");
_Static_assert(TALWEG_CHUNK_ELEMENTS == 16384, "part of the numeric contract");
_Static_assert(TALWEG_SEGMENT_ELEMENTS == 1024, "part of the numeric contract");

SIZE(talweg_chunk, 16);
PLACE(talweg_chunk, element_count, 8);
PLACE(talweg_chunk, tensor_index, 12);
SIZE(talweg_slot, 8);

SIZE(talweg_hyper_info, 48);
PLACE(talweg_hyper_info, default_value, 16);
PLACE(talweg_hyper_info, low_closed, 40);
PLACE(talweg_hyper_info, rounds, 45);
PLACE(talweg_hyper_info, bound_phase, 47);

SIZE(talweg_state_info, 32);
PLACE(talweg_state_info, stream, 24);
PLACE(talweg_state_info, rate, 28);

SIZE(talweg_input_info, 24);
PLACE(talweg_input_info, rate, 20);

SIZE(talweg_scalar_args, 136);
PLACE(talweg_scalar_args, hypers, 16);
PLACE(talweg_scalar_args, states, 24);
PLACE(talweg_scalar_args, inputs, 32);
PLACE(talweg_scalar_args, given, 40);
PLACE(talweg_scalar_args, new_states, 48);
PLACE(talweg_scalar_args, bound, 56);
PLACE(talweg_scalar_args, model_slots, 64);
PLACE(talweg_scalar_args, group_slots, 72);
PLACE(talweg_scalar_args, needed, 80);
PLACE(talweg_scalar_args, outcome, 88);
PLACE(talweg_scalar_args, kept, 96);
PLACE(talweg_scalar_args, unbound, 104);
PLACE(talweg_scalar_args, regrad, 112);
PLACE(talweg_scalar_args, reduced, 120);
PLACE(talweg_scalar_args, partials, 128);

SIZE(talweg_pass_args, 328);
PLACE(talweg_pass_args, pointers, 8);
PLACE(talweg_pass_args, tensor_groups, 16);
PLACE(talweg_pass_args, model_slots, 24);
PLACE(talweg_pass_args, group_slots, 32);
PLACE(talweg_pass_args, group_args, 40);
PLACE(talweg_pass_args, tensor_routes, 48);
PLACE(talweg_pass_args, tensor_facts, 56);
PLACE(talweg_pass_args, tensor_slots, 64);
PLACE(talweg_pass_args, tensor_states, 72);
PLACE(talweg_pass_args, new_tensor_states, 80);
PLACE(talweg_pass_args, tensor_inputs, 88);
PLACE(talweg_pass_args, tensor_reduced, 96);
PLACE(talweg_pass_args, tensor_partials, 104);
PLACE(talweg_pass_args, chunk_partials, 112);
PLACE(talweg_pass_args, chunk_count, 120);
PLACE(talweg_pass_args, tensor_count, 128);
PLACE(talweg_pass_args, phase, 136);
PLACE(talweg_pass_args, views, 144);
PLACE(talweg_pass_args, matrix_chunks, 152);
PLACE(talweg_pass_args, row_chunks, 160);
PLACE(talweg_pass_args, col_chunks, 168);
PLACE(talweg_pass_args, row_blocks, 176);
PLACE(talweg_pass_args, matrix_count, 184);
PLACE(talweg_pass_args, row_count, 192);
PLACE(talweg_pass_args, col_count, 200);
PLACE(talweg_pass_args, block_col_count, 208);
PLACE(talweg_pass_args, matrix_slots, 216);
PLACE(talweg_pass_args, matrix_states, 224);
PLACE(talweg_pass_args, new_matrix_states, 232);
PLACE(talweg_pass_args, matrix_reduced, 240);
PLACE(talweg_pass_args, matrix_partials, 248);
PLACE(talweg_pass_args, row_slots, 256);
PLACE(talweg_pass_args, col_slots, 264);
PLACE(talweg_pass_args, line_states, 272);
PLACE(talweg_pass_args, row_partials, 280);
PLACE(talweg_pass_args, col_partials, 288);
PLACE(talweg_pass_args, block_partials, 296);
PLACE(talweg_pass_args, round_elements, 304);
PLACE(talweg_pass_args, matrix_inputs, 312);
PLACE(talweg_pass_args, line_inputs, 320);

_Static_assert(TALWEG_BLOCK_ROWS == 64, "part of the numeric contract");
SIZE(talweg_matrix_view, 80);
PLACE(talweg_matrix_view, rows, 8);
PLACE(talweg_matrix_view, inner, 16);
PLACE(talweg_matrix_view, cols, 24);
PLACE(talweg_matrix_view, last, 32);
PLACE(talweg_matrix_view, first_matrix, 40);
PLACE(talweg_matrix_view, first_row, 48);
PLACE(talweg_matrix_view, first_col, 56);
PLACE(talweg_matrix_view, first_block, 64);
PLACE(talweg_matrix_view, first_block_col, 72);
SIZE(talweg_line_chunk, 24);
PLACE(talweg_line_chunk, matrix, 8);
PLACE(talweg_line_chunk, count, 16);
PLACE(talweg_line_chunk, tensor_index, 20);

SIZE(talweg_fact_info, 16);
PLACE(talweg_fact_info, kind, 8);
SIZE(talweg_placement, 48);
PLACE(talweg_placement, input_present, 24);
PLACE(talweg_placement, in_domain, 32);
PLACE(talweg_placement, requirement_met, 40);

SIZE(talweg_reduction_info, 20);
PLACE(talweg_reduction_info, counts, 3);
PLACE(talweg_reduction_info, phase, 4);
PLACE(talweg_reduction_info, partial, 8);
PLACE(talweg_reduction_info, domain, 12);
PLACE(talweg_reduction_info, blocks, 16);

SIZE(talweg_phase, 80);
PLACE(talweg_phase, group_scalars, 8);
PLACE(talweg_phase, tensor_scalars, 16);
PLACE(talweg_phase, matrix_scalars, 24);
PLACE(talweg_phase, row_scalars, 32);
PLACE(talweg_phase, col_scalars, 40);
PLACE(talweg_phase, lines, 48);
PLACE(talweg_phase, pass, 56);
PLACE(talweg_phase, read_bytes_per_element, 64);
PLACE(talweg_phase, written_bytes_per_element, 68);
PLACE(talweg_phase, says_regrad, 72);
SIZE(talweg_kernels, 104);
PLACE(talweg_kernels, reductions, 8);
PLACE(talweg_kernels, place, 16);
PLACE(talweg_kernels, self, 24);
PLACE(talweg_kernels, phase_count, 32);
PLACE(talweg_kernels, reduction_count, 36);
PLACE(talweg_kernels, model_slot_count, 40);
PLACE(talweg_kernels, group_slot_count, 44);
PLACE(talweg_kernels, tensor_slot_count, 48);
PLACE(talweg_kernels, matrix_slot_count, 52);
PLACE(talweg_kernels, row_slot_count, 56);
PLACE(talweg_kernels, col_slot_count, 60);
PLACE(talweg_kernels, chunk_partial_count, 64);
PLACE(talweg_kernels, tensor_partial_count, 68);
PLACE(talweg_kernels, group_partial_count, 72);
PLACE(talweg_kernels, matrix_partial_count, 76);
PLACE(talweg_kernels, row_partial_count, 80);
PLACE(talweg_kernels, col_partial_count, 84);
PLACE(talweg_kernels, block_partial_count, 88);
PLACE(talweg_kernels, end_phase, 92);
PLACE(talweg_kernels, origin_stream, 96);
SIZE(talweg_view_info, 120);
PLACE(talweg_view_info, kernels, 16);

SIZE(talweg_image, 248);
PLACE(talweg_image, name, 8);
PLACE(talweg_image, hypers, 32);
PLACE(talweg_image, facts, 56);
PLACE(talweg_image, requirements, 64);
PLACE(talweg_image, hyper_count, 72);
PLACE(talweg_image, stream_count, 96);
PLACE(talweg_image, scratch_count, 100);
PLACE(talweg_image, uses_gradient, 104);
PLACE(talweg_image, split, 108);
PLACE(talweg_image, view_count, 112);
PLACE(talweg_image, step, 120);
PLACE(talweg_image, initial_states, 224);
PLACE(talweg_image, views, 232);
PLACE(talweg_image, initial_kernels, 240);

SIZE(talweg_storage, 2);
SIZE(talweg_tensor, 80);
PLACE(talweg_tensor, param, 40);
PLACE(talweg_tensor, rank, 48);
PLACE(talweg_tensor, device, 60);
PLACE(talweg_tensor, split, 64);
PLACE(talweg_tensor, split_at, 68);
PLACE(talweg_tensor, split_to, 72);

/* A translation unit needs a declaration that is not an assertion. */
extern int talweg_abi_layout_is_checked;
