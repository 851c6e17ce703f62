/* All states as one buffer in the safetensors format: 8 bytes of length, a JSON header, the data
 * without holes, float64 before float32. Each state is an entry "name/tensor", "name@group" or
 * "name"; numbers are little-endian as all machines here are.
 *
 * The header depends on rule and tensors only. So loading makes the same header again and compares:
 * what differs in one byte is of other tensors, and nothing of a foreign file is interpreted. */
#include <string.h>

#include "runtime/optimizer/work.h"
#include "runtime/standalone/internal.h"

#define MAX_COUNT 9007199254740992.0 /* 2^53 */

/* Text that is written, compared or only counted. */
typedef struct sink {
  char* out;          /* null: not written */
  const char* expect; /* null: not compared */
  uint64_t length;    /* so far */
  uint64_t limit;     /* of `expect` */
  int differs;
} sink;

static void put_char(sink* to, char c) {
  if (to->out) to->out[to->length] = c;
  if (to->expect && (to->length >= to->limit || to->expect[to->length] != c)) to->differs = 1;
  ++to->length;
}

static void put_text(sink* to, const char* text) {
  for (; *text; ++text) put_char(to, *text);
}

static void put_count(sink* to, uint64_t value) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while (value /= 10);
  while (count > 0) put_char(to, digits[--count]);
}

/* Inside quotes of JSON. */
static void put_escaped(sink* to, const char* text) {
  for (; *text; ++text) {
    const unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') put_char(to, '\\');
    if (c >= 0x20) {
      put_char(to, (char)c);
      continue;
    }
    put_text(to, "\\u00");
    put_char(to, (char)('0' + c / 16));
    put_char(to, "0123456789abcdef"[c % 16]);
  }
}

static void put_name(sink* to, const talweg_lib_optimizer* optimizer,
                     const talweg_lib_state* state) {
  if (state->kind == TALWEG_LIB_STATE_BEGUN) put_text(to, "@begun/");
  put_escaped(to, state->name);
  if (state->tensor) {
    put_char(to, '/');
    put_escaped(to, state->tensor);
  }
  const uint32_t s = state->place[1];
  if (state->kind != TALWEG_LIB_STATE_VALUE ||
      optimizer->image->states[s].rate != TALWEG_RATE_GROUP)
    return;
  put_char(to, '@');
  put_count(to, state->group);
}

static void put_entry(sink* to, const talweg_lib_optimizer* optimizer,
                      const talweg_lib_state* state, uint64_t begin) {
  put_text(to, ",\"");
  put_name(to, optimizer, state);
  put_text(to, state->element_bytes == 8 ? "\":{\"dtype\":\"F64\",\"shape\":["
                                         : "\":{\"dtype\":\"F32\",\"shape\":[");
  for (uint32_t i = 0; i < state->rank; ++i) {
    if (i > 0) put_char(to, ',');
    put_count(to, state->shape[i]);
  }
  put_text(to, "],\"data_offsets\":[");
  put_count(to, begin);
  put_char(to, ',');
  put_count(to, begin + state->elements * state->element_bytes);
  put_text(to, "]}");
}

/* The next state of that element size. */
static int next_of_size(talweg_lib_optimizer* optimizer, uint32_t bytes, talweg_lib_state* state) {
  while (talweg_lib_list_state(optimizer, state))
    if (state->element_bytes == bytes) return 1;
  return 0;
}

/* The header, filled up with blanks so that the data is aligned; returns the bytes of data. */
static uint64_t put_header(sink* to, talweg_lib_optimizer* optimizer) {
  uint64_t data = 0;
  put_text(to, "{\"__metadata__\":{\"rule\":\"");
  put_escaped(to, optimizer->image->name);
  put_text(to, "\"}");
  for (uint32_t bytes = 8; bytes >= 4; bytes -= 4) {
    talweg_lib_state state = {0};
    while (next_of_size(optimizer, bytes, &state)) {
      put_entry(to, optimizer, &state, data);
      data += state.elements * bytes;
    }
  }
  put_char(to, '}');
  while (to->length % 8 != 0) put_char(to, ' ');
  return data;
}

talweg_lib_status talweg_lib_refuse_between(const talweg_lib_optimizer* optimizer, const char* what,
                                            talweg_lib_error* error) {
  if (!is_own(optimizer)) return talweg_lib_refuse_foreign(optimizer, error);
  const int waits = talweg_is_waiting(optimizer->core);
  if (!waits && talweg_swapped_view(optimizer->core) == TALWEG_NO_VIEW) return TALWEG_LIB_OK;
  const talweg_lib_status status = waits ? TALWEG_LIB_WAITING : TALWEG_LIB_SWAPPED_IN;
  fail(error, status,
       waits ? "a step waits for another gradient: finish or abandon it before the optimizer is "
             : "a view stands in for the parameters: swap it out before the optimizer is ");
  talweg_put(core_error(error), what);
  return status;
}

uint64_t talweg_lib_saved_bytes(talweg_lib_optimizer* optimizer) {
  if (!is_own(optimizer)) return 0;
  sink counted = {0};
  const uint64_t data = put_header(&counted, optimizer);
  return sizeof(uint64_t) + counted.length + data;
}

static talweg_lib_status refuse_size(uint64_t bytes, uint64_t needed, talweg_lib_status status,
                                     talweg_lib_error* error) {
  fail(error, status, "the buffer has ");
  talweg_put_count(core_error(error), bytes);
  talweg_put(core_error(error), " bytes; the states of this optimizer take ");
  talweg_put_count(core_error(error), needed);
  return status;
}

/* From or to a state, which may be on a device: done after talweg_finish_copies. */
static void copy_state(const talweg_lib_optimizer* optimizer, const talweg_lib_state* state,
                       void* to, const void* from) {
  const size_t length = (size_t)(state->elements * state->element_bytes);
  if (state->on_device)
    talweg_begin_copy(optimizer->core, to, from, length);
  else if (length > 0)
    memcpy(to, from, length);
}

talweg_lib_status talweg_lib_save(talweg_lib_optimizer* optimizer, void* buffer, uint64_t bytes,
                                  talweg_lib_error* error) {
  talweg_lib_status refused = talweg_lib_refuse_between(optimizer, "saved", error);
  if (refused == TALWEG_LIB_OK)
    refused = from_core(talweg_settle(optimizer->core, core_error(error)));
  if (refused != TALWEG_LIB_OK) return refused;
  if (!buffer) return fail_null(error, "the buffer");
  const uint64_t needed = talweg_lib_saved_bytes(optimizer);
  if (bytes < needed) return refuse_size(bytes, needed, TALWEG_LIB_BAD_ARGUMENT, error);
  sink header = {.out = (char*)buffer + sizeof(uint64_t)};
  put_header(&header, optimizer);
  memcpy(buffer, &header.length, sizeof header.length);
  char* data = header.out + header.length;
  for (uint32_t size = 8; size >= 4; size -= 4) {
    talweg_lib_state state = {0};
    while (next_of_size(optimizer, size, &state)) {
      copy_state(optimizer, &state, data, state.data);
      data += (size_t)(state.elements * size);
    }
  }
  talweg_finish_copies(optimizer->core);
  return from_core(talweg_or_failure(optimizer->core, TALWEG_OK, core_error(error)));
}

static int is_allowed(uint32_t kind, const char* data) {
  double value;
  if (kind == TALWEG_LIB_STATE_VALUE) return 1;
  memcpy(&value, data, sizeof value);
  if (kind == TALWEG_LIB_STATE_BEGUN) return value == 0 || value == 1;
  return value >= 0 && value <= MAX_COUNT && value == (double)(uint64_t)value;
}

/* Checks counters and flags, or (`copies`) takes all data over. 0 if a value cannot be. */
static int go_over(talweg_lib_optimizer* optimizer, const char* data, int copies) {
  for (uint32_t size = 8; size >= 4; size -= 4) {
    talweg_lib_state state = {0};
    while (next_of_size(optimizer, size, &state)) {
      if (!copies && !is_allowed(state.kind, data)) return 0;
      if (copies) copy_state(optimizer, &state, state.data, data);
      data += (size_t)(state.elements * size);
    }
  }
  return 1;
}

talweg_lib_status talweg_lib_load(talweg_lib_optimizer* optimizer, const void* buffer,
                                  uint64_t bytes, talweg_lib_error* error) {
  talweg_lib_status refused = talweg_lib_refuse_between(optimizer, "loaded", error);
  if (refused == TALWEG_LIB_OK)
    refused = from_core(talweg_settle(optimizer->core, core_error(error)));
  if (refused != TALWEG_LIB_OK) return refused;
  if (!buffer) return fail_null(error, "the buffer");
  const uint64_t needed = talweg_lib_saved_bytes(optimizer);
  if (bytes != needed) return refuse_size(bytes, needed, TALWEG_LIB_BAD_DATA, error);
  uint64_t length;
  memcpy(&length, buffer, sizeof length);
  sink header = {.expect = (const char*)buffer + sizeof length, .limit = bytes - sizeof length};
  put_header(&header, optimizer);
  if (header.differs || header.length != length)
    return fail(error, TALWEG_LIB_BAD_DATA,
                "the saved states are of other tensors or of another rule");
  const char* data = header.expect + header.length;
  if (!go_over(optimizer, data, 0))
    return fail(error, TALWEG_LIB_BAD_DATA, "the saved states have a counter that cannot be");
  go_over(optimizer, data, 1);
  talweg_finish_copies(optimizer->core);
  return from_core(talweg_or_failure(optimizer->core, TALWEG_OK, core_error(error)));
}
