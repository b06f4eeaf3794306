#include "slab/rebalance_policy.h"

#include <algorithm>
#include <cmath>

namespace larder::slab {

namespace {

bool IsBetterDonor(const ClassFigures& candidate, const ClassFigures& best) {
  const bool has_spare_page = candidate.free_chunk_count >= candidate.chunks_per_page;
  const bool best_has_spare_page = best.free_chunk_count >= best.chunks_per_page;
  if (has_spare_page != best_has_spare_page) return has_spare_page;
  return candidate.page_count > best.page_count;
}

}  // namespace

uint32_t PickDonor(std::span<const ClassFigures> classes, uint32_t receiver) {
  const ClassFigures* best = nullptr;
  for (const ClassFigures& candidate : classes) {
    if (candidate.page_count == 0 || candidate.class_id == receiver) continue;
    if (best == nullptr || IsBetterDonor(candidate, *best)) best = &candidate;
  }
  return best == nullptr ? 0 : best->class_id;
}

// --- Demand --------------------------------------------------------------------------------------

void Demand::Look(const Totals& totals) {
  constexpr double kManyVictims = 64;
  const double looks_min = evicted_count_ >= kManyVictims ? kLooksMin : kLooksOfFew;
  const double kept = 1 - 1 / std::max(looks_min, MeanAgeSeconds() * kLooksPerSecond);
  const auto add = [kept](double& sum, uint64_t now, uint64_t before) {
    sum = sum * kept + static_cast<double>(now - before);
  };
  add(evicted_count_, totals.evicted_count, before_.evicted_count);
  add(evicted_age_ds_, totals.evicted_age_ds, before_.evicted_age_ds);
  add(hit_count_, totals.hit_count, before_.hit_count);
  quiet_looks_ = totals.evicted_count == before_.evicted_count ? quiet_looks_ + 1 : 0;
  before_ = totals;
  if (quiet_looks_ < kQuietLooksMax) return;
  evicted_count_ = 0;
  evicted_age_ds_ = 0;
}

void Demand::NotePages(uint64_t before, uint64_t now) {
  if (before > 0) evicted_age_ds_ *= static_cast<double>(now) / static_cast<double>(before);
}

// --- PickMove ------------------------------------------------------------------------------------

namespace {

bool IsShort(const ClassFigures& figures) {
  return figures.evicted_count >= kEvictedItemsMin ||
         figures.evicted_count >= kEvictedPagesMin * figures.chunks_per_page;
}

bool IsUnread(const ClassFigures& figures) {
  return figures.evicted_count >= kUnreadVictimsMin &&
         figures.hit_count < figures.evicted_count * kHitsPerVictimMin;
}

// Not the same as !IsUnread: of a class that lost few items and was not asked for any, neither is
// known.
bool IsRead(const ClassFigures& figures) {
  return figures.hit_count > 0 && figures.hit_count >= figures.evicted_count * kHitsPerVictimMin;
}

bool HasSparePage(const ClassFigures& figures) {
  return !IsShort(figures) && figures.free_chunk_count > figures.chunks_per_page;
}

// How old its victims will be with one page less, or more.
double AgeWith(const ClassFigures& figures, double more_pages) {
  const auto page_count = static_cast<double>(figures.page_count);
  const double age_s = std::max(figures.evicted_age_s, kAgeMin);
  return page_count == 0 ? 0 : age_s * (page_count + more_pages) / page_count;
}

// How far off a mean age may be, as a part of it.
double Doubt(const ClassFigures& figures) {
  return kDoubtOfOne / std::sqrt(std::max(figures.evicted_count, 1.0));
}

// What a receiver's age is to be compared with: that of the donor's victims with one page less, or
// of what would go next, each less its margin.
double GivingAge(const ClassFigures& donor) {
  const auto page_count = static_cast<double>(donor.page_count);
  const double age_s = IsShort(donor) ? donor.evicted_age_s / kAgeRatio / (1 + Doubt(donor))
                                      : (donor.tail_age_s - kTailAgeMarginS) / kTailAgeRatio;
  return age_s * (page_count - 1) / page_count;
}

// The age that a donor's must exceed.
double NeededAge(const ClassFigures& receiver) {
  return AgeWith(receiver, 1) * (1 + Doubt(receiver));
}

double HitsPerPage(const ClassFigures& figures) {
  return figures.hit_count / static_cast<double>(figures.page_count);
}

const ClassFigures* NeediestClass(std::span<const ClassFigures> classes, bool unread) {
  const ClassFigures* neediest = nullptr;
  for (const ClassFigures& candidate : classes) {
    if (candidate.page_count == 0 || !IsShort(candidate) || IsUnread(candidate) != unread) continue;
    if (candidate.pages_taken >= candidate.page_count / 2 + 1) continue;
    if (neediest == nullptr || NeededAge(candidate) < NeededAge(*neediest)) {
      neediest = &candidate;
    }
  }
  return neediest;
}

bool MayGive(const ClassFigures& donor, const ClassFigures& receiver) {
  if (donor.page_count < 2 || donor.class_id == receiver.class_id) return false;
  if (donor.pages_given >= donor.page_count) return false;
  if (HasSparePage(donor) || !IsUnread(receiver)) return true;
  return HitsPerPage(donor) <= HitsPerPage(receiver);
}

// Whether the donor's items are worth less than the receiver's whatever their ages.
bool GivesInAnyCase(const ClassFigures& donor, const ClassFigures& receiver) {
  return HasSparePage(donor) || (IsUnread(donor) && IsRead(receiver));
}

bool GivesBefore(const ClassFigures& one, const ClassFigures& other, const ClassFigures& receiver) {
  if (HasSparePage(one) != HasSparePage(other)) return HasSparePage(one);
  const bool gives = GivesInAnyCase(one, receiver);
  if (gives != GivesInAnyCase(other, receiver)) return gives;
  return GivingAge(one) > GivingAge(other);
}

const ClassFigures* BestDonor(std::span<const ClassFigures> classes, const ClassFigures& receiver) {
  const ClassFigures* best = nullptr;
  for (const ClassFigures& candidate : classes) {
    if (!MayGive(candidate, receiver)) continue;
    if (best == nullptr || GivesBefore(candidate, *best, receiver)) best = &candidate;
  }
  return best;
}

bool IsWorthIt(const ClassFigures& donor, const ClassFigures& receiver) {
  return GivesInAnyCase(donor, receiver) || GivingAge(donor) > NeededAge(receiver);
}

}  // namespace

std::optional<PageMove> PickMove(std::span<const ClassFigures> classes) {
  for (const bool unread : {false, true}) {
    const ClassFigures* const receiver = NeediestClass(classes, unread);
    if (receiver == nullptr) continue;
    const ClassFigures* const donor = BestDonor(classes, *receiver);
    if (donor != nullptr && IsWorthIt(*donor, *receiver)) {
      return PageMove{donor->class_id, receiver->class_id};
    }
  }
  return std::nullopt;
}

void NoteMove(std::span<ClassFigures> classes, const PageMove& move) {
  for (ClassFigures& figures : classes) {
    if (figures.class_id == move.receiver) {
      figures.evicted_age_s = AgeWith(figures, 1);
      ++figures.page_count;
      ++figures.pages_taken;
    } else if (figures.class_id == move.donor) {
      figures.evicted_age_s = AgeWith(figures, -1);
      figures.free_chunk_count -=
          std::min<uint64_t>(figures.free_chunk_count, figures.chunks_per_page);
      --figures.page_count;
      ++figures.pages_given;
    }
  }
}

}  // namespace larder::slab
