# Two functions by which the test folders declare what they have.
#
#   larder_add_test(<target> SOURCES a_test.cc .. [LIBRARIES larder_slab ..]
#                   [LABEL unit] [TIMEOUT seconds] [STRESS])
#     A Catch2 binary. Each TEST_CASE becomes a ctest test named "<target>:<sentence>".
#     STRESS says that some cases carry the tag [stress]: those get the label "stress" and run
#     alone, so that the cores they load are theirs.
#
#   larder_share_test_pch()
#     Lets every target below tests/ that links larder_test_main use its precompiled header.
#
# Labels, by which scripts/test.sh chooses what runs under a sanitizer:
#   unit, net, stress, wire, client, robustness, bench-smoke, instructions, fuzz-smoke, build

function(larder_add_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STRESS" "LABEL;TIMEOUT" "SOURCES;LIBRARIES")
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE larder_test_main ${arg_LIBRARIES})
  catch_discover_tests(${target}
    TEST_PREFIX "${target}:"
    TEST_SPEC "~[stress]"
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
  if(arg_STRESS)
    catch_discover_tests(${target}
      TEST_PREFIX "${target}:"
      TEST_SPEC "[stress]"
      PROPERTIES LABELS stress RUN_SERIAL TRUE TIMEOUT 600)
  endif()
endfunction()

function(larder_share_test_pch_below directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(libraries ${target} LINK_LIBRARIES)
    if(type STREQUAL "EXECUTABLE" AND "larder_test_main" IN_LIST libraries)
      target_precompile_headers(${target} REUSE_FROM larder_test_main)
    endif()
  endforeach()
  get_property(children DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(child IN LISTS children)
    larder_share_test_pch_below(${child})
  endforeach()
endfunction()

function(larder_share_test_pch)
  larder_share_test_pch_below(${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
