/* Trains a language model on the characters of text files, and lets it write.
 *
 *     char_lm STEPS THREADS FILE...
 *
 * All that is talweg's here is the library of gpt.tw: gpt.h and libgpt.a. Its threads are used for
 * the optimizer only; the model is computed by one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpt.h"
#include "model.h"

enum { SEQUENCES = 8, CONTEXT = 64 };

typedef struct text {
  unsigned char* characters;
  int* tokens; /* [count] places in the alphabet */
  size_t count;
  unsigned char alphabet[256];
  int letters;
} text;

/* Adds a file; 0 if it cannot be read. */
static int read_file(text* t, const char* path) {
  FILE* file = fopen(path, "rb");
  if (!file) return 0;
  unsigned char* grown = t->characters;
  size_t got = 0;
  do {
    t->count += got;
    grown = realloc(t->characters, t->count + 65536);
    if (grown) t->characters = grown;
  } while (grown && (got = fread(grown + t->count, 1, 65536, file)) > 0);
  const int is_read = grown && !ferror(file);
  fclose(file);
  return is_read;
}

/* Numbers the characters that occur. */
static int make_tokens(text* t) {
  int place[256] = {0};
  for (size_t i = 0; i < t->count; ++i) place[t->characters[i]] = 1;
  for (int c = 0; c < 256; ++c)
    if (place[c]) {
      place[c] = t->letters;
      t->alphabet[t->letters++] = (unsigned char)c;
    }
  t->tokens = malloc((t->count + 1) * sizeof(int));
  for (size_t i = 0; t->tokens && i < t->count; ++i) t->tokens[i] = place[t->characters[i]];
  return t->tokens != 0;
}

/* Random pieces of the text from `begin` to `end`, and the characters that follow in them. */
static void take_pieces(const text* t, size_t begin, size_t end, uint64_t* random, int* tokens,
                        int* targets) {
  for (int s = 0; s < SEQUENCES; ++s) {
    const size_t room = end - begin - CONTEXT;
    const int* piece = t->tokens + begin + (size_t)(next_random(random) * (double)room);
    memcpy(tokens + s * CONTEXT, piece, CONTEXT * sizeof(int));
    memcpy(targets + s * CONTEXT, piece + 1, CONTEXT * sizeof(int));
  }
}

/* The loss on the part of the text that is not trained on. */
static double validate(model* m, const text* t, size_t begin) {
  enum { ROUNDS = 8 };
  int tokens[SEQUENCES * CONTEXT], targets[SEQUENCES * CONTEXT];
  uint64_t random = 99; /* the same pieces each time */
  double sum = 0;
  for (int i = 0; i < ROUNDS; ++i) {
    take_pieces(t, begin, t->count, &random, tokens, targets);
    sum += model_forward(m, tokens, targets, SEQUENCES, CONTEXT);
  }
  return sum / ROUNDS;
}

/* Lets the model go on after a line break, one character after the other. */
static void write_sample(model* m, const text* t, int length) {
  int tokens[CONTEXT] = {0}, count = 1;
  uint64_t random = 5;
  for (int i = 0; i < t->letters; ++i)
    if (t->alphabet[i] == '\n') tokens[0] = i;
  for (int written = 0; written < length; ++written) {
    model_forward(m, tokens, 0, 1, count);
    const real* logits = m->logits + (size_t)(count - 1) * t->letters;
    double chances[256], sum = 0;
    for (int i = 0; i < t->letters; ++i) sum += chances[i] = exp(logits[i] / 0.7);
    double left = next_random(&random) * sum;
    int chosen = 0;
    while (chosen + 1 < t->letters && (left -= chances[chosen]) > 0) ++chosen;
    putchar(t->alphabet[chosen]);
    if (count == CONTEXT) memmove(tokens, tokens + 1, --count * sizeof(int));
    tokens[count++] = chosen;
  }
  putchar('\n');
}

/* The optimizer of the model: what is a weight matrix gets the tag that gpt.tw asks for. */
static gpt_optimizer* make_optimizer(model* m, int steps, gpt_pool* pool, gpt_error* error) {
  static const char* const decay[] = {"decay"};
  gpt_tensor tensors[MAX_PARAMETERS] = {{0}};
  for (int i = 0; i < m->parameter_count; ++i) {
    parameter* p = &m->parameters[i];
    tensors[i].name = p->name;
    tensors[i].shape = p->shape;
    tensors[i].rank = p->rank;
    tensors[i].param = p->value;
    tensors[i].tags = decay;
    tensors[i].tag_count = p->decays ? 1 : 0;
  }
  gpt_spec spec = {0};
  spec.interface_version = GPT_INTERFACE;
  spec.tensors = tensors;
  spec.tensor_count = (uint32_t)m->parameter_count;
  spec.thread_count = gpt_pool_threads(pool);
  spec.parallel_for = gpt_pool_run;
  spec.parallel_context = pool;
  gpt_optimizer* optimizer = 0;
  if (gpt_create(&spec, &optimizer, error)) return 0;
  gpt_hypers hypers = gpt_defaults();
  hypers.total = steps;
  if (!gpt_set_hypers(optimizer, GPT_ALL_GROUPS, &hypers, error)) return optimizer;
  gpt_destroy(optimizer);
  return 0;
}

static int train(model* m, const text* t, gpt_optimizer* optimizer, int steps, gpt_error* error) {
  gpt_element* gradients[MAX_PARAMETERS];
  for (int i = 0; i < m->parameter_count; ++i) gradients[i] = m->parameters[i].gradient;
  int tokens[SEQUENCES * CONTEXT], targets[SEQUENCES * CONTEXT];
  uint64_t random = 3;
  const size_t held_out = t->count / 10 * 9;
  double loss = 0;
  int counted = 0;
  for (int step = 1; step <= steps; ++step) {
    take_pieces(t, 0, held_out, &random, tokens, targets);
    loss += model_forward(m, tokens, targets, SEQUENCES, CONTEXT);
    ++counted;
    model_backward(m, tokens, SEQUENCES, CONTEXT);
    if (gpt_step(optimizer, gradients, NULL, error)) return 0;
    if (step % 100 != 0 && step != 1 && step != steps) continue;
    printf("step %d, loss %.4f, validation %.4f\n", step, loss / counted, validate(m, t, held_out));
    fflush(stdout);
    loss = counted = 0;
  }
  return 1;
}

/* FNV-1a of all parameters: the same number means the same bits. */
static uint64_t hash_parameters(const model* m) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < m->parameter_count; ++i) {
    const unsigned char* bytes = (const unsigned char*)m->parameters[i].value;
    for (size_t k = 0; k < m->parameters[i].count * sizeof(real); ++k)
      hash = (hash ^ bytes[k]) * 0x100000001b3u;
  }
  return hash;
}

static int run(const text* t, int steps, gpt_pool* pool) {
  const config c = {.vocabulary = t->letters,
                    .context = CONTEXT,
                    .blocks = 2,
                    .heads = 4,
                    .width = 64,
                    .sequences = SEQUENCES};
  model m;
  if (!model_create(&m, c, 1)) return fputs("no memory\n", stderr), 1;
  size_t count = 0;
  for (int i = 0; i < m.parameter_count; ++i) count += m.parameters[i].count;
  gpt_error error;
  gpt_optimizer* optimizer = make_optimizer(&m, steps, pool, &error);
  int ended = 1;
  if (optimizer) {
    printf("%zu characters, %d different; %zu parameters; AdamW on %s\n", t->count, t->letters,
           count, gpt_cpu(optimizer));
    ended = !train(&m, t, optimizer, steps, &error);
  }
  if (ended == 0) {
    write_sample(&m, t, 400);
    printf("parameters %016llx\n", (unsigned long long)hash_parameters(&m));
  } else {
    fprintf(stderr, "%s\n", error.message);
  }
  gpt_destroy(optimizer);
  model_destroy(&m);
  return ended;
}

int main(int argc, char** argv) {
  const int steps = argc > 3 ? atoi(argv[1]) : 0, threads = argc > 3 ? atoi(argv[2]) : 0;
  if (steps < 1 || threads < 1) return fputs("usage: char_lm STEPS THREADS FILE...\n", stderr), 2;
  text t = {0};
  for (int i = 3; i < argc; ++i)
    if (!read_file(&t, argv[i])) return fprintf(stderr, "cannot read %s\n", argv[i]), 1;
  if (t.count < 100 * CONTEXT) return fputs("there is too little text\n", stderr), 1;
  gpt_pool* pool = gpt_pool_create((uint32_t)threads);
  const int ended = pool && make_tokens(&t) ? run(&t, steps, pool) : 1;
  gpt_pool_destroy(pool);
  free(t.tokens);
  free(t.characters);
  return ended;
}
