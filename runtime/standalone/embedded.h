/* Files that talweg carries for the libraries that it generates: what they run besides kernels, as
 * LLVM bitcode for each platform, and the texts of interface.h, binding.py (with python/ in it) and
 * binding.mjs. Each is the bytes from its name up to its name with _end. */
#ifndef TALWEG_STANDALONE_EMBEDDED_H
#define TALWEG_STANDALONE_EMBEDDED_H

#ifdef __cplusplus
extern "C" {
#endif

extern const char talweg_runtime_x86_64[], talweg_runtime_x86_64_end[];
extern const char talweg_runtime_aarch64[], talweg_runtime_aarch64_end[];
extern const char talweg_runtime_wasm32[], talweg_runtime_wasm32_end[];
/* With optimizers on GPUs. */
extern const char talweg_cuda_runtime_x86_64[], talweg_cuda_runtime_x86_64_end[];
extern const char talweg_cuda_runtime_aarch64[], talweg_cuda_runtime_aarch64_end[];
/* The same of wasm_libc.c. */
extern const char talweg_wasm_libc[], talweg_wasm_libc_end[];
extern const char talweg_pool_x86_64[], talweg_pool_x86_64_end[];
extern const char talweg_pool_aarch64[], talweg_pool_aarch64_end[];
extern const char talweg_interface_text[], talweg_interface_text_end[];
extern const char talweg_binding_text[], talweg_binding_text_end[];
extern const char talweg_module_binding_text[], talweg_module_binding_text_end[];

extern const unsigned talweg_embedded_files;

#ifdef __cplusplus
}
#endif

#endif
