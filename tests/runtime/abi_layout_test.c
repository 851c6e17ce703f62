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

SIZE(talweg_state_info, 32);
PLACE(talweg_state_info, stream, 24);
PLACE(talweg_state_info, rate, 28);

SIZE(talweg_input_info, 24);
PLACE(talweg_input_info, rate, 20);

SIZE(talweg_scalar_args, 112);
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

SIZE(talweg_pass_args, 64);
PLACE(talweg_pass_args, pointers, 8);
PLACE(talweg_pass_args, tensor_groups, 16);
PLACE(talweg_pass_args, model_slots, 24);
PLACE(talweg_pass_args, group_slots, 32);
PLACE(talweg_pass_args, group_args, 40);
PLACE(talweg_pass_args, tensor_routes, 48);
PLACE(talweg_pass_args, tensor_facts, 56);

SIZE(talweg_fact_info, 16);
PLACE(talweg_fact_info, kind, 8);
SIZE(talweg_placement, 32);
PLACE(talweg_placement, input_present, 24);

SIZE(talweg_pass_info, 16);
SIZE(talweg_kernels, 56);
PLACE(talweg_kernels, passes, 16);
PLACE(talweg_kernels, place, 24);
PLACE(talweg_kernels, pass_count, 40);
SIZE(talweg_view_info, 72);
PLACE(talweg_view_info, kernels, 16);

SIZE(talweg_image, 176);
PLACE(talweg_image, name, 8);
PLACE(talweg_image, hypers, 32);
PLACE(talweg_image, facts, 56);
PLACE(talweg_image, passes, 64);
PLACE(talweg_image, hyper_count, 72);
PLACE(talweg_image, model_scalars, 112);
PLACE(talweg_image, place, 136);
PLACE(talweg_image, self, 144);
PLACE(talweg_image, views, 152);
PLACE(talweg_image, initial_kernels, 160);

SIZE(talweg_storage, 2);
SIZE(talweg_tensor, 64);
PLACE(talweg_tensor, param, 40);
PLACE(talweg_tensor, rank, 48);
PLACE(talweg_tensor, device, 60);

/* A translation unit needs a declaration that is not an assertion. */
extern int talweg_abi_layout_is_checked;
