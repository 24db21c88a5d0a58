{
  "targets": [
    {
      "target_name": "taut",
      "sources": ["<!@(ls native/addon/*.cc)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "native/include"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra"],
      "libraries": ["-lbpf"]
    }
  ]
}
