// SPDX-License-Identifier: Apache-2.0
// The blocks of slots in which the programs count series: mapped into this process, and read without a system call. A
// block is there while one of its slots is in use.
#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "arguments.h"
#include "wakeup_tracer.h"

// The last histograms of a series may not be there: see TAUT_SLICE_QUANTITIES.
taut_histogram* WakeupTracer::Series(uint32_t slot) const {
  taut_histogram* series = blocks_[(slot - 1) / TAUT_BLOCK_AGENTS].series;
  return series ? series + (slot - 1) % TAUT_BLOCK_AGENTS * histograms_ : nullptr;
}

size_t WakeupTracer::SeriesBytes() const { return histograms_ * sizeof(taut_histogram); }

size_t WakeupTracer::BlockBytes() const { return TAUT_BLOCK_AGENTS * SeriesBytes(); }

// Fails once the object is loaded.
int WakeupTracer::SetSlices(bool are_there) {
  bpf_map* constants = bpf_object__find_map_by_name(programs_->Object(), ".rodata.features");
  bpf_map* series = bpf_object__find_map_by_name(programs_->Object(), "series");
  if (!constants || !series) return -ENOENT;
  size_t size = 0;
  const void* set = bpf_map__initial_value(constants, &size);
  taut_features features;
  if (!set || size != sizeof(features)) return -EINVAL;
  memcpy(&features, set, size);
  features.slices = are_there;
  if (int failed = bpf_map__set_initial_value(constants, &features, size)) return failed;
  bpf_map* block = bpf_map__inner_map(series);
  if (!block) return -EBUSY;
  histograms_ = are_there ? TAUT_SERIES_WITH_SLICES : TAUT_SERIES;
  return bpf_map__set_value_size(block, static_cast<uint32_t>(SeriesBytes()));
}

int WakeupTracer::AddBlock(uint32_t block) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
  int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "taut_series", sizeof(uint32_t),
                           static_cast<uint32_t>(SeriesBytes()), TAUT_BLOCK_AGENTS, &options);
  if (map < 0) return -errno;
  void* memory = mmap(nullptr, BlockBytes(), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  int result = memory == MAP_FAILED || bpf_map_update_elem(MapFd("series"), &block, &map, BPF_ANY) < 0 ? -errno : 0;
  close(map);  // the mapping and the programs keep the map
  if (result == 0) {
    blocks_[block] = {.series = static_cast<taut_histogram*>(memory)};
  } else if (memory != MAP_FAILED) {
    munmap(memory, BlockBytes());
  }
  return result;
}

int WakeupTracer::Reserve(uint32_t slot) {
  if (closed_ || !programs_->Object()) return -EBADF;
  if (slot == 0) return -EINVAL;
  return Series(slot) ? 0 : AddBlock((slot - 1) / TAUT_BLOCK_AGENTS);
}

Napi::Value WakeupTracer::ReserveCall(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t slot = args.Number(0, TAUT_MAX_SLOTS);
  if (args.Wrong()) return {};
  return Result(info, Reserve(slot));
}

// Gives the memory of a block back. None of its slots may be in use; a program that still has one counts no series.
Napi::Value WakeupTracer::FreeBlock(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t block = args.Number(0, TAUT_BLOCKS - 1);
  if (args.Wrong()) return {};
  int map = MapFd("series");
  if (map < 0) return Result(info, map);
  if (!blocks_[block].series) return Result(info, 0);
  if (bpf_map_delete_elem(map, &block) < 0) return Result(info, -errno);
  munmap(blocks_[block].series, BlockBytes());
  blocks_[block] = {};
  return Result(info, 1);
}

// Clears only slots that were used before: a new slot is zero already, and writing its pages takes longer than the rest
// of an attach in this file.
Napi::Value WakeupTracer::EmptySeries(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t slot = args.Number(0, TAUT_MAX_SLOTS);
  if (args.Wrong()) return {};
  if (int failed = Reserve(slot)) return Result(info, failed);
  Block& block = blocks_[(slot - 1) / TAUT_BLOCK_AGENTS];
  uint32_t used = (slot - 1) % TAUT_BLOCK_AGENTS + 1;
  if (used <= block.used) memset(Series(slot), 0, SeriesBytes());
  block.used = std::max(block.used, used);
  return Result(info, 0);
}

Napi::Value WakeupTracer::AddAgent(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t pid = args.Number(0);
  uint32_t slot = args.Number(1, TAUT_MAX_SLOTS);
  if (args.Wrong()) return {};
  if (int failed = Reserve(slot)) return Result(info, failed);
  return Result(info, bpf_map_update_elem(MapFd("agents"), &pid, &slot, BPF_ANY) < 0 ? -errno : 0);
}

Napi::Value WakeupTracer::RemoveAgent(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t pid = args.Number(0);
  if (args.Wrong()) return {};
  int agents = MapFd("agents");
  return Result(info, agents < 0 ? agents : bpf_map_delete_elem(agents, &pid) < 0 ? -errno : 0);
}

Napi::Value WakeupTracer::ReadSeries(const Napi::CallbackInfo& info) {
  Arguments args(info);
  uint32_t slot = args.Number(0, TAUT_MAX_SLOTS);
  Napi::Uint32Array into = args.Words(1);
  if (args.Wrong()) return {};
  const taut_histogram* series = slot == 0 ? nullptr : Series(slot);
  if (!series || into.ByteLength() < SeriesBytes()) return Result(info, -ENOENT);
  // A histogram without a minimum is empty: copy only the words before its buckets. Most histograms are empty.
  auto* copy = reinterpret_cast<taut_histogram*>(into.Data());
  for (size_t i = 0; i < histograms_; i++)
    memcpy(&copy[i], &series[i], series[i].min ? sizeof(*series) : offsetof(taut_histogram, buckets));
  return Result(info, 0);
}

void WakeupTracer::UnmapSeries() {
  for (Block& block : blocks_) {
    if (block.series) munmap(block.series, BlockBytes());
    block = {};
  }
}
