/* The spec of one tensor `w`, of whatever library: structs differ in their names only. Both are of
 * zeros before; the tensor and its shape must live as long as the spec is used. */
#ifndef TALWEG_TESTS_STANDALONE_ONE_TENSOR_H
#define TALWEG_TESTS_STANDALONE_ONE_TENSOR_H

#define DESCRIBE_ONE_TENSOR(spec, interface, tensor, sizes, memory)                 \
  do {                                                                              \
    (tensor)->name = "w";                                                           \
    (tensor)->shape = (sizes);                                                      \
    (tensor)->rank = sizeof(sizes) / sizeof *(sizes); /* an array, not a pointer */ \
    (tensor)->param = (memory);                                                     \
    (spec)->interface_version = (interface);                                        \
    (spec)->tensors = (tensor);                                                     \
    (spec)->tensor_count = 1;                                                       \
  } while (0)

#endif
