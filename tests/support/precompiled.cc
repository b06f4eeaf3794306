// Carries the precompiled header: CMake builds one only for a target that has a source using it.
