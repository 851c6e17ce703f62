; What kernels may be made of, for the PTX that LLVM makes of it: every form must be known
; (llvm_forms_test.cpp). Values are loaded and stored as volatile, so that none is folded away.
target datalayout = "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"
@table = internal unnamed_addr addrspace(4) constant [4 x i64] [i64 1, i64 -2, i64 3, i64 4], align 16
@floats = addrspace(1) global [3 x float] [float 1.0, float -2.0, float 0x7FF8000000000000], align 4
@text = addrspace(1) global [5 x i8] c"abcd\00"
@mixed = addrspace(1) global {i32, ptr, i16} {i32 1, ptr addrspacecast (ptr addrspace(1) @floats to ptr), i16 7}
@functions = addrspace(1) global [2 x ptr] [ptr @plus, ptr @times]
@zeros = addrspace(1) global [64 x i32] zeroinitializer
@scalar = internal addrspace(1) global double 1.5
@one = addrspace(4) constant i32 7
@shared = internal addrspace(3) global [128 x double] undef, align 16
@dynamic = external addrspace(3) global [0 x float], align 16

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.tid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare i32 @llvm.nvvm.read.ptx.sreg.warpsize()
declare i32 @llvm.nvvm.read.ptx.sreg.lanemask.lt()
declare i32 @llvm.nvvm.activemask()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.barrier.cta.sync.all(i32)
declare void @llvm.nvvm.bar.warp.sync(i32)
declare i32 @llvm.nvvm.shfl.sync.down.i32(i32, i32, i32, i32)
declare {i32, i1} @llvm.nvvm.shfl.sync.up.i32p(i32, i32, i32, i32)
declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32)
declare float @llvm.nvvm.shfl.sync.idx.f32(i32, float, i32, i32)
declare i32 @llvm.nvvm.vote.ballot.sync(i32, i1)
declare i1 @llvm.nvvm.vote.any.sync(i32, i1)
declare i1 @llvm.nvvm.vote.all.sync(i32, i1)
declare i1 @llvm.nvvm.vote.uni.sync(i32, i1)
declare void @llvm.nvvm.membar.gl()
declare i32 @llvm.nvvm.redux.sync.add(i32, i32)
declare void @llvm.trap()
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

; ---- Functions ----
define internal i32 @plus(i32 %a) noinline {
  %b = add i32 %a, 3
  ret i32 %b
}
define internal i32 @times(i32 %a) noinline {
  %b = mul i32 %a, 3
  ret i32 %b
}
define ptx_kernel void @indirect(ptr %out) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %odd = and i32 %t, 1
  %i = zext i32 %odd to i64
  %place = getelementptr ptr, ptr addrspace(1) @functions, i64 %i
  %function = load ptr, ptr addrspace(1) %place
  %result = call i32 %function(i32 %t)
  %to = getelementptr i32, ptr %out, i64 %i
  store i32 %result, ptr %to
  ret void
}
%Struct = type {i32, double, [3 x i8]}
define internal %Struct @aggregate(<4 x float> %v, %Struct %s, ptr byval(%Struct) align 8 %by_value) noinline {
  %a = extractelement <4 x float> %v, i32 2
  %d = fpext float %a to double
  %l = load i32, ptr %by_value
  %s1 = insertvalue %Struct %s, double %d, 1
  %s2 = insertvalue %Struct %s1, i32 %l, 0
  ret %Struct %s2
}
define internal <2 x double> @narrow(<2 x double> %v, i1 %b, i8 %c, i16 %e, i128 %w) noinline {
  %k1 = zext i1 %b to i32
  %k2 = zext i8 %c to i32
  %k3 = sext i16 %e to i32
  %k4 = add i32 %k1, %k2
  %k5 = add i32 %k4, %k3
  %w1 = trunc i128 %w to i32
  %k6 = add i32 %k5, %w1
  %f = sitofp i32 %k6 to double
  %r = insertelement <2 x double> %v, double %f, i32 1
  ret <2 x double> %r
}
define ptx_kernel void @aggregates(ptr %p) {
  %v = load <4 x float>, ptr %p, align 16
  %s = load %Struct, ptr %p
  %l = alloca %Struct
  store %Struct %s, ptr %l
  %r = call %Struct @aggregate(<4 x float> %v, %Struct %s, ptr byval(%Struct) align 8 %l)
  store %Struct %r, ptr %p
  %v2 = load <2 x double>, ptr %p, align 16
  %b = load i8, ptr %p
  %e = load i16, ptr %p
  %i1 = trunc i8 %b to i1
  %w = load i128, ptr %p
  %q = call <2 x double> @narrow(<2 x double> %v2, i1 %i1, i8 %b, i16 %e, i128 %w)
  store <2 x double> %q, ptr %p, align 16
  ret void
}

; ---- Threads ----
define ptx_kernel void @places(ptr %p) "nvvm.maxntid"="128,2,1" "nvvm.minctasm"="3" {
  %1 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %2 = call i32 @llvm.nvvm.read.ptx.sreg.tid.y()
  %3 = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %4 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %5 = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
  %6 = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %7 = call i32 @llvm.nvvm.read.ptx.sreg.warpsize()
  %8 = call i32 @llvm.nvvm.read.ptx.sreg.lanemask.lt()
  %9 = call i32 @llvm.nvvm.activemask()
  %a = add i32 %1, %2
  %b = add i32 %a, %3
  %c = mul i32 %b, %4
  %d = add i32 %c, %5
  %e = add i32 %d, %6
  %f = add i32 %e, %7
  %g = xor i32 %f, %8
  %h = xor i32 %g, %9
  store i32 %h, ptr %p
  ret void
}
define ptx_kernel void @warps(ptr %p) "nvvm.reqntid"="64" {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  call void @llvm.nvvm.barrier.cta.sync.all(i32 1)
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %a = call i32 @llvm.nvvm.shfl.sync.down.i32(i32 -1, i32 %t, i32 4, i32 31)
  %b = call {i32, i1} @llvm.nvvm.shfl.sync.up.i32p(i32 -1, i32 %a, i32 %t, i32 0)
  %b0 = extractvalue {i32, i1} %b, 0
  %b1 = extractvalue {i32, i1} %b, 1
  %c = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %b0, i32 4, i32 %t)
  %d = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 %t, i32 %c, i32 4, i32 31)
  %e = bitcast i32 %d to float
  %f = call float @llvm.nvvm.shfl.sync.idx.f32(i32 -1, float %e, i32 4, i32 31)
  %g = fcmp une float %f, 3.0
  %h = call i32 @llvm.nvvm.vote.ballot.sync(i32 -1, i1 %g)
  %i = call i1 @llvm.nvvm.vote.any.sync(i32 -1, i1 %b1)
  %j = call i1 @llvm.nvvm.vote.all.sync(i32 %t, i1 %b1)
  %k = call i1 @llvm.nvvm.vote.uni.sync(i32 %t, i1 %b1)
  call void @llvm.nvvm.membar.gl()
  fence acq_rel
  fence seq_cst
  fence syncscope("block") acquire
  fence syncscope("device") release
  %l = and i1 %i, %j
  %m = xor i1 %k, %l
  %n = zext i1 %m to i32
  %o = add i32 %n, %h
  %q = call i32 @llvm.nvvm.redux.sync.add(i32 %o, i32 -1)
  store i32 %q, ptr %p
  ret void
}

; ---- Memory ----
define ptx_kernel void @atomics(ptr %p, ptr addrspace(1) %g, ptr addrspace(3) %s) {
  %p1 = getelementptr i32, ptr %p, i64 3
  %g1 = getelementptr i32, ptr addrspace(1) %g, i64 3
  %1 = atomicrmw add ptr %p, i32 1 seq_cst
  %2 = atomicrmw add ptr addrspace(1) %g1, i32 %1 monotonic
  %3 = atomicrmw max ptr addrspace(1) %g, i32 %2 monotonic
  %4 = atomicrmw umin ptr addrspace(3) %s, i32 %3 monotonic
  %5 = atomicrmw xchg ptr %p, i32 %4 acquire
  %6 = cmpxchg ptr %p1, i32 %5, i32 3 seq_cst seq_cst
  %7 = extractvalue {i32, i1} %6, 0
  %8 = atomicrmw or ptr %p1, i32 %7 syncscope("block") release
  %9 = zext i32 %8 to i64
  %10 = atomicrmw add ptr %p, i64 %9 syncscope("device") acq_rel
  %11 = atomicrmw xchg ptr %p, i64 %10 seq_cst
  %12 = cmpxchg ptr addrspace(1) %g, i64 %11, i64 3 monotonic monotonic
  %13 = extractvalue {i64, i1} %12, 1
  %14 = uitofp i1 %13 to double
  %15 = atomicrmw fadd ptr addrspace(1) %g, double %14 monotonic
  %16 = fptrunc double %15 to float
  %17 = atomicrmw fadd ptr addrspace(3) %s, float %16 monotonic
  %18 = atomicrmw and ptr addrspace(1) %g, i32 7 monotonic
  %19 = atomicrmw umax ptr addrspace(1) %g, i64 9 monotonic
  %20 = atomicrmw min ptr addrspace(1) %g, i64 9 monotonic
  %21 = load atomic i32, ptr %p seq_cst, align 4
  %22 = load atomic i32, ptr addrspace(1) %g acquire, align 4
  %23 = load atomic i64, ptr addrspace(1) %g syncscope("device") monotonic, align 8
  store atomic i32 %21, ptr addrspace(1) %g release, align 4
  store atomic i64 %23, ptr %p monotonic, align 8
  store atomic i32 %22, ptr addrspace(1) %g seq_cst, align 4
  ret void
}
define ptx_kernel void @accesses(ptr noalias readonly %a, ptr noalias %b, ptr addrspace(1) noalias readonly %n) {
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = zext i32 %t to i64
  %v = load <4 x float>, ptr %a, align 16
  %n1 = getelementptr <4 x float>, ptr addrspace(1) %n, i64 %i
  %w = load <4 x float>, ptr addrspace(1) %n1, align 16
  %x = fadd <4 x float> %v, %w
  store <4 x float> %x, ptr %b, align 16
  %n2 = load <4 x i8>, ptr addrspace(1) %n, align 4
  %b1 = getelementptr i8, ptr %b, i64 64
  store <4 x i8> %n2, ptr %b1, align 4
  %n3 = load <4 x i16>, ptr addrspace(1) %n, align 8
  store <4 x i16> %n3, ptr %b1, align 8
  %n4 = load i8, ptr addrspace(1) %n
  store volatile i8 %n4, ptr %b1
  %n5 = load i16, ptr %b1
  %n6 = sext i16 %n5 to i64
  store i64 %n6, ptr %b
  %n7 = sext i8 %n4 to i32
  store volatile i32 %n7, ptr %b
  %c = getelementptr [4 x i64], ptr addrspace(4) @table, i64 0, i64 %i
  %k = load i64, ptr addrspace(4) %c
  store volatile i64 %k, ptr %b
  %cg = addrspacecast ptr addrspace(4) %c to ptr
  %kg = load volatile i64, ptr %cg
  store volatile i64 %kg, ptr %b
  %s = getelementptr [128 x double], ptr addrspace(3) @shared, i64 0, i64 %i
  store double 1.0, ptr addrspace(3) %s
  %sg = addrspacecast ptr addrspace(3) %s to ptr
  %sl = load volatile double, ptr %sg
  %df = load float, ptr addrspace(3) @dynamic
  %dd = fpext float %df to double
  %ad = fadd double %dd, %sl
  %sv = load double, ptr addrspace(1) @scalar
  %ad2 = fadd double %ad, %sv
  store volatile double %ad2, ptr %b
  %z = ptrtoint ptr addrspace(1) getelementptr (i8, ptr addrspace(1) @zeros, i64 16) to i64
  store i64 %z, ptr %b
  %q = load <8 x float>, ptr addrspace(1) %n1, align 32
  store <8 x float> %q, ptr addrspace(1) @zeros, align 32
  %q2 = load <4 x double>, ptr addrspace(1) %n1, align 32
  store <4 x double> %q2, ptr addrspace(1) @zeros, align 32
  ret void
}
define ptx_kernel void @blocks(ptr %a, ptr %b, i64 %n) {
  %l = alloca [4 x i64]
  call void @llvm.memcpy.p0.p0.i64(ptr %a, ptr %b, i64 %n, i1 false)
  call void @llvm.memset.p0.i64(ptr %a, i8 3, i64 %n, i1 false)
  %g = getelementptr i64, ptr %l, i64 %n
  store i64 %n, ptr %g
  %ll = load i64, ptr %l
  store i64 %ll, ptr %a
  ret void
}

; ---- Numbers ----
define ptx_kernel void @floats_of(ptr %p) {
  %a = load volatile float, ptr %p
  %b = load volatile float, ptr %p
  %d = load volatile double, ptr %p
  %e = load volatile double, ptr %p
  %f1 = call float @llvm.fma.f32(float %a, float %b, float %a)
  store volatile float %f1, ptr %p
  %f2 = call double @llvm.fma.f64(double %d, double %e, double %d)
  store volatile double %f2, ptr %p
  %s1 = call float @llvm.sqrt.f32(float %a)
  store volatile float %s1, ptr %p
  %s2 = call double @llvm.sqrt.f64(double %d)
  store volatile double %s2, ptr %p
  %x1 = call double @llvm.floor.f64(double %d)
  store volatile double %x1, ptr %p
  %x2 = call double @llvm.ceil.f64(double %d)
  store volatile double %x2, ptr %p
  %x3 = call double @llvm.trunc.f64(double %d)
  store volatile double %x3, ptr %p
  %x4 = call double @llvm.roundeven.f64(double %d)
  store volatile double %x4, ptr %p
  %x5 = call float @llvm.floor.f32(float %a)
  store volatile float %x5, ptr %p
  %x6 = call float @llvm.roundeven.f32(float %a)
  store volatile float %x6, ptr %p
  %m1 = call float @llvm.minimum.f32(float %a, float %b)
  store volatile float %m1, ptr %p
  %m2 = call double @llvm.minimum.f64(double %d, double %e)
  store volatile double %m2, ptr %p
  %m3 = call double @llvm.maximum.f64(double %d, double %e)
  store volatile double %m3, ptr %p
  %m4 = call float @llvm.maximum.f32(float %a, float %b)
  store volatile float %m4, ptr %p
  %m5 = call float @llvm.minnum.f32(float %a, float %b)
  store volatile float %m5, ptr %p
  %c1 = call float @llvm.copysign.f32(float %a, float %b)
  store volatile float %c1, ptr %p
  %c2 = call double @llvm.copysign.f64(double %d, double %e)
  store volatile double %c2, ptr %p
  %c3 = call float @llvm.fabs.f32(float %a)
  store volatile float %c3, ptr %p
  %n1 = fneg float %a
  store volatile float %n1, ptr %p
  %n2 = fneg double %d
  store volatile double %n2, ptr %p
  %d1 = fdiv float %a, %b
  store volatile float %d1, ptr %p
  %d2 = fdiv double %d, %e
  store volatile double %d2, ptr %p
  %d3 = fdiv float 1.0, %b
  store volatile float %d3, ptr %p
  %t1 = fptrunc double %d to float
  store volatile float %t1, ptr %p
  %t2 = fpext float %a to double
  store volatile double %t2, ptr %p
  %i1 = fptosi float %a to i32
  store volatile i32 %i1, ptr %p
  %i2 = fptoui float %a to i64
  store volatile i64 %i2, ptr %p
  %i3 = fptosi double %d to i64
  store volatile i64 %i3, ptr %p
  %i4 = fptosi double %d to i16
  store volatile i16 %i4, ptr %p
  %i5 = call i32 @llvm.fptosi.sat.i32.f64(double %d)
  store volatile i32 %i5, ptr %p
  %i6 = call i64 @llvm.fptoui.sat.i64.f64(double %d)
  store volatile i64 %i6, ptr %p
  %u1 = sitofp i32 %i1 to float
  store volatile float %u1, ptr %p
  %u2 = uitofp i64 %i2 to float
  store volatile float %u2, ptr %p
  %u3 = uitofp i64 %i2 to double
  store volatile double %u3, ptr %p
  %u4 = sitofp i16 %i4 to double
  store volatile double %u4, ptr %p
  %y1 = fcmp oeq double %d, %e
  %y2 = fcmp ult float %a, %b
  %y3 = and i1 %y1, %y2
  %y4 = fcmp uno double %d, %e
  %y5 = or i1 %y3, %y4
  %y6 = select i1 %y5, float %a, float %b
  store volatile float %y6, ptr %p
  %y7 = select i1 %y4, double %d, double %e
  store volatile double %y7, ptr %p
  %k1 = call i1 @llvm.is.fpclass.f64(double %d, i32 504)
  %k2 = zext i1 %k1 to i8
  store volatile i8 %k2, ptr %p
  %v1 = load volatile <2 x float>, ptr %p
  %v2 = load volatile <2 x float>, ptr %p
  %v3 = fadd <2 x float> %v1, %v2
  %v4 = fmul <2 x float> %v1, %v3
  %v5 = call <2 x float> @llvm.fma.v2f32(<2 x float> %v4, <2 x float> %v3, <2 x float> %v1)
  %v6 = fneg <2 x float> %v5
  %v7 = fsub <2 x float> %v6, %v3
  %v8 = fdiv <2 x float> %v7, %v2
  store <2 x float> %v8, ptr %p
  ret void
}
define ptx_kernel void @integers_of(ptr %p) {
  %a = load volatile i32, ptr %p
  %b = load volatile i32, ptr %p
  %d = load volatile i64, ptr %p
  %e = load volatile i64, ptr %p
  %h = load volatile i16, ptr %p
  %o = load volatile i8, ptr %p
  %1 = call i32 @llvm.fshl.i32(i32 %a, i32 %b, i32 %a)
  store volatile i32 %1, ptr %p
  %2 = call i32 @llvm.fshr.i32(i32 %a, i32 %b, i32 7)
  store volatile i32 %2, ptr %p
  %3 = call i64 @llvm.fshl.i64(i64 %d, i64 %e, i64 %d)
  store volatile i64 %3, ptr %p
  %4 = call i64 @llvm.fshr.i64(i64 %d, i64 %e, i64 7)
  store volatile i64 %4, ptr %p
  %5 = call i64 @llvm.fshl.i64(i64 %d, i64 %d, i64 40)
  store volatile i64 %5, ptr %p
  %6 = call i32 @llvm.ctlz.i32(i32 %a, i1 0)
  store volatile i32 %6, ptr %p
  %7 = call i64 @llvm.cttz.i64(i64 %d, i1 0)
  store volatile i64 %7, ptr %p
  %8 = call i64 @llvm.ctpop.i64(i64 %d)
  store volatile i64 %8, ptr %p
  %9 = call i64 @llvm.bswap.i64(i64 %d)
  store volatile i64 %9, ptr %p
  %10 = call i16 @llvm.bswap.i16(i16 %h)
  store volatile i16 %10, ptr %p
  %11 = call i64 @llvm.bitreverse.i64(i64 %d)
  store volatile i64 %11, ptr %p
  %12 = zext i64 %d to i128
  %13 = zext i64 %e to i128
  %14 = mul i128 %12, %13
  store volatile i128 %14, ptr %p
  %15 = sext i64 %d to i128
  %16 = sext i64 %e to i128
  %17 = mul i128 %15, %16
  %18 = add i128 %17, %14
  %19 = sub i128 %18, %15
  store volatile i128 %19, ptr %p
  %20 = sdiv i64 %d, %e
  store volatile i64 %20, ptr %p
  %21 = urem i32 %a, %b
  store volatile i32 %21, ptr %p
  %22 = srem i64 %d, 10
  store volatile i64 %22, ptr %p
  %23 = udiv i32 %a, 10
  store volatile i32 %23, ptr %p
  %24 = shl i32 %a, %b
  store volatile i32 %24, ptr %p
  %25 = ashr i64 %d, %e
  store volatile i64 %25, ptr %p
  %26 = lshr i16 %h, 3
  store volatile i16 %26, ptr %p
  %27 = mul i16 %h, %26
  store volatile i16 %27, ptr %p
  %28 = add i8 %o, 9
  store volatile i8 %28, ptr %p
  %29 = icmp slt i16 %h, %26
  %30 = select i1 %29, i16 %h, i16 %27
  store volatile i16 %30, ptr %p
  %31 = call i16 @llvm.smin.i16(i16 %h, i16 %26)
  store volatile i16 %31, ptr %p
  %32 = lshr i32 %a, 5
  %33 = and i32 %32, 63
  store volatile i32 %33, ptr %p
  %34 = shl i64 %d, 12
  %35 = ashr i64 %34, 52
  store volatile i64 %35, ptr %p
  %36 = mul i64 %d, %e
  %37 = add i64 %36, %35
  store volatile i64 %37, ptr %p
  %38 = sext i32 %a to i64
  %39 = sext i32 %b to i64
  %40 = mul i64 %38, %39
  store volatile i64 %40, ptr %p
  %41 = sext i8 %o to i64
  store volatile i64 %41, ptr %p
  %42 = trunc i64 %d to i8
  store volatile i8 %42, ptr %p
  %43 = call i64 @llvm.abs.i64(i64 %d, i1 0)
  store volatile i64 %43, ptr %p
  %44 = call i64 @llvm.uadd.sat.i64(i64 %d, i64 %e)
  store volatile i64 %44, ptr %p
  %45 = sub i64 0, %d
  store volatile i64 %45, ptr %p
  %46 = xor i64 %d, -1
  store volatile i64 %46, ptr %p
  %47 = bitcast i64 %d to <2 x i32>
  %48 = extractelement <2 x i32> %47, i32 1
  %49 = insertelement <2 x i32> %47, i32 %a, i32 0
  store volatile i32 %48, ptr %p
  store volatile <2 x i32> %49, ptr %p
  %50 = bitcast i32 %a to <4 x i8>
  %51 = extractelement <4 x i8> %50, i32 2
  %52 = insertelement <4 x i8> %50, i8 %51, i32 1
  store volatile <4 x i8> %52, ptr %p
  %53 = icmp ult i64 %d, %e
  %54 = icmp eq i1 %53, %29
  %55 = zext i1 %54 to i64
  store volatile i64 %55, ptr %p
  switch i32 %a, label %d0 [i32 0, label %l0
                            i32 1, label %l1
                            i32 2, label %l2
                            i32 3, label %l3
                            i32 4, label %l4
                            i32 5, label %l5]
l0:
  store volatile i64 1, ptr %p
  ret void
l1:
  store volatile i64 2, ptr %p
  br label %d0
l2:
  store volatile i64 3, ptr %p
  br label %l1
l3:
  store volatile i64 4, ptr %p
  unreachable
l4:
  store volatile i64 5, ptr %p
  call void @llvm.trap()
  br label %l0
l5:
  store volatile i64 6, ptr %p
  ret void
d0:
  ret void
}
define ptx_kernel void @loop_kept(ptr %p, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %at = getelementptr double, ptr %p, i64 %i
  %x = load double, ptr %at, align 8
  %y = fmul double %x, 3.0
  store double %y, ptr %at, align 8
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %end, !llvm.loop !0
end:
  ret void
}
!0 = distinct !{!0, !1}
!1 = !{!"llvm.loop.unroll.disable"}

declare float @llvm.fma.f32(float, float, float)
declare double @llvm.fma.f64(double, double, double)
declare <2 x float> @llvm.fma.v2f32(<2 x float>, <2 x float>, <2 x float>)
declare float @llvm.sqrt.f32(float)
declare double @llvm.sqrt.f64(double)
declare double @llvm.floor.f64(double)
declare double @llvm.ceil.f64(double)
declare double @llvm.trunc.f64(double)
declare double @llvm.roundeven.f64(double)
declare float @llvm.floor.f32(float)
declare float @llvm.roundeven.f32(float)
declare float @llvm.minimum.f32(float, float)
declare double @llvm.minimum.f64(double, double)
declare float @llvm.minnum.f32(float, float)
declare float @llvm.maximum.f32(float, float)
declare double @llvm.maximum.f64(double, double)
declare float @llvm.copysign.f32(float, float)
declare double @llvm.copysign.f64(double, double)
declare float @llvm.fabs.f32(float)
declare i1 @llvm.is.fpclass.f64(double, i32)
declare i32 @llvm.fptosi.sat.i32.f64(double)
declare i64 @llvm.fptoui.sat.i64.f64(double)
declare i32 @llvm.ctlz.i32(i32, i1)
declare i64 @llvm.cttz.i64(i64, i1)
declare i64 @llvm.ctpop.i64(i64)
declare i32 @llvm.fshl.i32(i32, i32, i32)
declare i32 @llvm.fshr.i32(i32, i32, i32)
declare i64 @llvm.fshl.i64(i64, i64, i64)
declare i64 @llvm.fshr.i64(i64, i64, i64)
declare i64 @llvm.bitreverse.i64(i64)
declare i64 @llvm.bswap.i64(i64)
declare i16 @llvm.bswap.i16(i16)
declare i16 @llvm.smin.i16(i16, i16)
declare i64 @llvm.abs.i64(i64, i1)
declare i64 @llvm.uadd.sat.i64(i64, i64)
