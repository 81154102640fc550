# Vector kernels: every src/targets/cpu/kernels/*_tmpl.c is compiled once for each instruction set of the machine's
# architecture, with -DAM_ISA=avx2 -DAM_VEC_AVX2=1 and so on, and names its symbols am_cpu_<kernel>_<isa>. Which of them
# runs is chosen at run time; "cpu_isas.h" (generated) lists them: AM_CPU_ISAS(ROW) is ROW(sse2) ROW(avx2) ...
# A refined one (AM_ISA_BASE_<isa> is the one that it refines) has only AM_REFINED_TEMPLATES of its own.
set(AM_CPU_ISAS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(AM_CPU_ISAS sse2 avx2 avx2vnni avx512 avx512vnni)
  set(AM_ISA_FLAGS_sse2 -msse2)
  set(AM_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
  set(AM_ISA_FLAGS_avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c)
  set(AM_ISA_BASE_avx2vnni avx2)
  set(AM_ISA_FLAGS_avx2vnni ${AM_ISA_FLAGS_avx2} -mavxvnni)
  set(AM_ISA_BASE_avx512vnni avx512)
  set(AM_ISA_FLAGS_avx512vnni ${AM_ISA_FLAGS_avx512} -mavx512vnni)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(AM_CPU_ISAS neon neon_dotprod)
  set(AM_ISA_FLAGS_neon)
  set(AM_ISA_BASE_neon_dotprod neon)
  set(AM_ISA_FLAGS_neon_dotprod -march=armv8.2-a+dotprod)
endif()

list(FILTER AM_SOURCES EXCLUDE REGEX "_tmpl\\.c$")
file(GLOB AM_KERNEL_TEMPLATES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/targets/cpu/kernels/*_tmpl.c)
set(AM_REFINED_TEMPLATES ${PROJECT_SOURCE_DIR}/src/targets/cpu/kernels/micro_tmpl.c
                         ${PROJECT_SOURCE_DIR}/src/targets/cpu/kernels/quantized_tmpl.c)

set(AM_KERNEL_OBJECTS)
set(rows "")
foreach(isa ${AM_CPU_ISAS})
  string(APPEND rows " ROW(${isa})")
  if(AM_KERNEL_TEMPLATES)
    set(base ${isa})
    set(templates ${AM_KERNEL_TEMPLATES})
    if(AM_ISA_BASE_${isa})
      set(base ${AM_ISA_BASE_${isa}})
      set(templates ${AM_REFINED_TEMPLATES})
    endif()
    string(TOUPPER ${base} upper)
    add_library(anymodel_kernels_${isa} OBJECT ${templates})
    target_include_directories(anymodel_kernels_${isa} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
                               ${AM_GENERATED_DIR})
    target_compile_definitions(anymodel_kernels_${isa} PRIVATE AM_ISA=${isa} AM_ISA_BASE=${base} AM_VEC_${upper}=1)
    target_compile_options(anymodel_kernels_${isa} PRIVATE ${AM_ISA_FLAGS_${isa}} $<$<NOT:$<CONFIG:Debug>>:-O3>)
    if(AM_FUZZ) # no parsers here: what is unrolled takes clang minutes to instrument
      target_compile_options(anymodel_kernels_${isa} PRIVATE -fno-sanitize=all)
    endif()
    list(APPEND AM_KERNEL_OBJECTS $<TARGET_OBJECTS:anymodel_kernels_${isa}>)
  endif()
endforeach()
file(CONFIGURE OUTPUT ${AM_GENERATED_DIR}/cpu_isas.h @ONLY CONTENT
     "/* Generated: the instruction sets the kernels were compiled for. */\n#define AM_CPU_ISAS(ROW)${rows}\n")
