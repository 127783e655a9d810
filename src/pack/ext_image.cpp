#include "pack/ext_image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "pack/ext2fs.hpp"
#include "pack/image_file.hpp"

namespace debroot::pack {
namespace {

/// One inode for so many bytes, as genext2fs is told by mmdebstrap and mke2fs does by itself.
constexpr std::uint64_t kBytesPerInode = 16384;
/// Blocks kept for root, in per cent.
constexpr unsigned kReservedPercent = 5;
/// What e2fsck finds room for in lost+found without allocating, as mke2fs has it.
constexpr unsigned kLostAndFoundBytes = 16 * 1024;
constexpr unsigned kHalfMd4 = EXT2_HASH_HALF_MD4;
/// Values below this are of errno.
constexpr errcode_t kFirstLibraryError = 4096;

struct Kind {
  unsigned block_bytes;
  unsigned inode_bytes;
  unsigned compatible;
  unsigned incompatible;
  unsigned read_only_compatible;
};

constexpr Kind kExt2{1024, EXT2_GOOD_OLD_INODE_SIZE, 0, EXT2_FEATURE_INCOMPAT_FILETYPE,
                     EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE};
constexpr Kind kExt4{
    4096, 256, EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_RESIZE_INODE | EXT2_FEATURE_COMPAT_DIR_INDEX,
    EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT |
        EXT4_FEATURE_INCOMPAT_FLEX_BG,
    EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE | EXT4_FEATURE_RO_COMPAT_HUGE_FILE |
        EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM};

struct FileSystemDeleter {
  void operator()(struct_ext2_filsys *file_system) const noexcept { ext2fs_free(file_system); }
};
using FileSystem = std::unique_ptr<struct_ext2_filsys, FileSystemDeleter>;

std::uint16_t mode_bits_of(EntryType type) {
  switch (type) {
    case EntryType::directory:
      return LINUX_S_IFDIR;
    case EntryType::symbolic_link:
      return LINUX_S_IFLNK;
    case EntryType::character_device:
      return LINUX_S_IFCHR;
    case EntryType::block_device:
      return LINUX_S_IFBLK;
    case EntryType::fifo:
      return LINUX_S_IFIFO;
    case EntryType::file:
    case EntryType::hard_link:
      break;
  }
  return LINUX_S_IFREG;
}

/// What a listing says of an inode with this mode.
int listed_type_of(std::uint16_t mode) {
  switch (mode & LINUX_S_IFMT) {
    case LINUX_S_IFDIR:
      return EXT2_FT_DIR;
    case LINUX_S_IFLNK:
      return EXT2_FT_SYMLINK;
    case LINUX_S_IFCHR:
      return EXT2_FT_CHRDEV;
    case LINUX_S_IFBLK:
      return EXT2_FT_BLKDEV;
    case LINUX_S_IFIFO:
      return EXT2_FT_FIFO;
    default:
      return EXT2_FT_REG_FILE;
  }
}

/// Seconds as an inode has them: 32 bits with sign, and two more in the extra field of large inodes.
struct InodeTime {
  std::uint32_t seconds;
  std::uint32_t extra;
};

InodeTime inode_time(std::int64_t seconds, bool is_large) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t kMostOfLarge = kMost + (std::int64_t{3} << 32);
  seconds = std::clamp(seconds, kLeast, is_large ? kMostOfLarge : kMost);
  auto low = static_cast<std::uint32_t>(seconds & 0xffffffff);
  std::int64_t epoch = (seconds - static_cast<std::int32_t>(low)) >> 32;
  return {low, static_cast<std::uint32_t>(epoch & 3)};
}

/// linux/kdev_t.h: the old form in the first word where it fits, else the new one in the second.
void set_device(ext2_inode_large &inode, std::uint32_t major, std::uint32_t minor) {
  if (major < 256 && minor < 256) {
    inode.i_block[0] = major * 256 + minor;
  } else {
    inode.i_block[1] = (minor & 0xff) | (major << 8) | ((minor & ~0xffU) << 12);
  }
}

/// "./usr/bin/x" in "./usr/bin/" and "x"; of the root an empty name.
std::pair<std::string, std::string> split_path(std::string path) {
  if (path.ends_with('/')) path.pop_back();
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {path + "/", {}};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string uuid_version_5(const std::string &name_space, const std::string &name) {
  constexpr std::size_t kUuidBytes = 16;
  std::string uuid = bytes_of_hex(base::hash_of(base::HashKind::sha1, name_space + name)).substr(0, kUuidBytes);
  uuid[6] = static_cast<char>((uuid[6] & 0x0f) | 0x50);
  uuid[8] = static_cast<char>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace

std::string ext_uuid(std::int64_t epoch_seconds) {
  // RFC 4122, appendix C
  std::string domain_names = bytes_of_hex("6ba7b8109dad11d180b400c04fd430c8");
  return uuid_version_5(uuid_version_5(domain_names, "mister-muffin.de"), std::to_string(epoch_seconds));
}

class ExtImage::Writer {
 public:
  Writer(const ImageSink &output, const TreeMeasure &measure, std::int64_t epoch_seconds)
      : file_(output),
        kind_(output.format == Format::ext4 ? kExt4 : kExt2),
        is_ext4_(output.format == Format::ext4),
        // to the library zero means the clock
        epoch_(static_cast<std::uint32_t>(
            std::clamp<std::int64_t>(epoch_seconds, 1, std::numeric_limits<std::uint32_t>::max()))),
        uuid_(ext_uuid(epoch_seconds)) {
    initialize_ext2_error_table();
    std::uint64_t needed = measure.ext_blocks(kind_.block_bytes);
    std::uint64_t blocks = wanted_blocks(measure);
    // the room that is left for files is known only when the rest is there
    for (std::uint64_t free = 0;; blocks += needed - free + needed / 16) {
      make_empty(blocks, measure.inodes());
      free = ext2fs_free_blocks_count(fs_->super);
      if (free >= needed) break;
    }
    inodes_.emplace("./", EXT2_ROOT_INO);
  }

  void add(const TreeEntry &entry) {
    // named one by one: clang lets no lambda have a structured binding
    const std::pair<std::string, std::string> parts = split_path(entry.path);
    const std::string &name = parts.second;
    if (name.empty()) return set_attributes(EXT2_ROOT_INO, entry);
    ext2_ino_t parent = inodes_.at(parts.first);
    if (entry.type == EntryType::hard_link) return add_hard_link(parent, name, entry);
    ext2_ino_t inode = new_inode(parent, entry);
    inodes_.emplace(entry.path, inode);
    if (entry.type == EntryType::directory) {
      linked(parent, [&] { return ext2fs_mkdir(fs_.get(), parent, inode, name.c_str()); });
    } else if (entry.type == EntryType::symbolic_link) {
      linked(parent, [&] { return ext2fs_symlink(fs_.get(), parent, inode, name.c_str(), entry.link_target.c_str()); });
    } else {
      add_inode(inode, entry);
      int type = listed_type_of(mode_bits_of(entry.type));
      linked(parent, [&] { return ext2fs_link(fs_.get(), parent, name.c_str(), inode, type); });
    }
    set_attributes(inode, entry);
    if (entry.type == EntryType::file && entry.size_bytes > 0) begin_content(inode, entry.size_bytes);
  }

  void add_content(std::string_view bytes) {
    content_left_ -= bytes.size();
    while (!bytes.empty()) {
      unsigned put = 0;
      auto size = static_cast<unsigned>(std::min<std::size_t>(bytes.size(), 1U << 30));
      check(ext2fs_file_write(content_, bytes.data(), size, &put));
      bytes.remove_prefix(put);
    }
    if (content_left_ == 0) check(ext2fs_file_close(std::exchange(content_, nullptr)));
  }

  void finish() {
    // the last owner of the handle, whether it can be closed or not
    ext2_filsys closing = fs_.release();
    errcode_t status = ext2fs_close_free(&closing);
    if (closing != nullptr) ext2fs_free(closing);
    check(status);
  }

  ~Writer() {
    if (content_ != nullptr) ext2fs_file_close(content_);
  }
  Writer(const Writer &) = delete;
  Writer &operator=(const Writer &) = delete;

  [[nodiscard]] const std::vector<std::string> &warnings() const { return warnings_; }

 private:
  void check(errcode_t status) const {
    if (status == 0) return;
    if (status < kFirstLibraryError) {
      throw base::os_error(ErrorKind::output, static_cast<int>(status),
                           fmt::format("cannot write {}", file_.subject()));
    }
    file_.throw_failure(error_message(status));
  }

  /// mmdebstrap's size, in blocks: a fifth more than the estimate.
  [[nodiscard]] std::uint64_t wanted_blocks(const TreeMeasure &measure) const {
    return std::max(measure.estimated_blocks(kind_.block_bytes) * 12 / 10, kLeastBlocks);
  }

  void make_empty(std::uint64_t blocks, std::uint64_t inodes) {
    fs_.reset();
    // twice, so that what an attempt of another size wrote is gone: what is not written has to be zeros
    if (!file_.resize(0) || !file_.resize(blocks * kind_.block_bytes)) file_.throw_failure({});
    initialize(blocks, inodes);
    set_identity();
    check(ext2fs_allocate_tables(fs_.get()));
    note_empty_tables();
    make_root();
    if (is_ext4_) {
      check(ext2fs_create_resize_inode(fs_.get()));
      add_journal();
    }
  }

  void initialize(std::uint64_t blocks, std::uint64_t inodes) {
    ext2_super_block wanted{};
    wanted.s_rev_level = EXT2_DYNAMIC_REV;
    wanted.s_log_block_size = kind_.block_bytes == 1024 ? 0 : 2;
    wanted.s_log_cluster_size = wanted.s_log_block_size;
    wanted.s_inode_size = static_cast<std::uint16_t>(kind_.inode_bytes);
    wanted.s_feature_compat = kind_.compatible;
    wanted.s_feature_incompat = kind_.incompatible;
    wanted.s_feature_ro_compat = kind_.read_only_compatible;
    ext2fs_blocks_count_set(&wanted, blocks);
    ext2fs_r_blocks_count_set(&wanted, blocks * kReservedPercent / 100);
    std::uint64_t by_size = blocks * kind_.block_bytes / kBytesPerInode;
    wanted.s_inodes_count =
        static_cast<std::uint32_t>(std::max(by_size, inodes + inodes / 8 + EXT2_GOOD_OLD_FIRST_INO));
    if (is_ext4_) wanted.s_log_groups_per_flex = 4;
    // the library closes what it is given
    int copy = ::fcntl(file_.fd(), F_DUPFD_CLOEXEC, 3);
    if (copy < 0) throw base::os_error(ErrorKind::output, errno, fmt::format("cannot write {}", file_.subject()));
    ext2_filsys made = nullptr;
    errcode_t status =
        ext2fs_initialize(std::to_string(copy).c_str(), EXT2_FLAG_64BITS, &wanted, unixfd_io_manager, &made);
    if (status != 0) ::close(copy);
    check(status);
    fs_.reset(made);
  }

  /// Everything in the superblock that is drawn or read from the clock by others.
  void set_identity() {
    ext2_super_block &super = *fs_->super;
    fs_->now = epoch_;
    super.s_mkfs_time = epoch_;
    super.s_lastcheck = epoch_;
    super.s_wtime = epoch_;
    super.s_max_mnt_count = -1;
    super.s_checkinterval = 0;
    super.s_creator_os = EXT2_OS_LINUX;
    super.s_errors = EXT2_ERRORS_DEFAULT;
    std::memcpy(super.s_uuid, uuid_.data(), sizeof(super.s_uuid));
    if (!is_ext4_) return;
    std::memcpy(super.s_hash_seed, uuid_.data(), sizeof(super.s_hash_seed));
    super.s_def_hash_version = kHalfMd4;
    super.s_flags |= EXT2_FLAGS_SIGNED_HASH;  // whatever a char of this machine is
    super.s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
    super.s_min_extra_isize = sizeof(ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
    super.s_want_extra_isize = super.s_min_extra_isize;
    super.s_checksum_type = EXT2_CRC32C_CHKSUM;
    ext2fs_init_csum_seed(fs_.get());
  }

  /// The file is all zeros, which is what empty inode tables are.
  void note_empty_tables() {
    if (!is_ext4_) return;
    for (dgrp_t group = 0; group < fs_->group_desc_count; ++group) {
      ext2fs_bg_flags_set(fs_.get(), group, EXT2_BG_INODE_ZEROED);
      ext2fs_group_desc_csum_set(fs_.get(), group);
    }
  }

  void make_root() {
    check(ext2fs_mkdir(fs_.get(), EXT2_ROOT_INO, EXT2_ROOT_INO, nullptr));
    ext2fs_inode_alloc_stats2(fs_.get(), EXT2_BAD_INO, +1, 0);
    for (ext2_ino_t inode = EXT2_ROOT_INO + 1; inode < EXT2_FIRST_INODE(fs_->super); ++inode) {
      ext2fs_inode_alloc_stats2(fs_.get(), inode, +1, 0);
    }
    check(ext2fs_update_bb_inode(fs_.get(), nullptr));
    TreeEntry entry;
    entry.path = "./lost+found/";
    entry.type = EntryType::directory;
    entry.mode = 0700;
    entry.mtime_seconds = epoch_;
    ext2_ino_t inode = new_inode(EXT2_ROOT_INO, entry);
    check(ext2fs_mkdir(fs_.get(), EXT2_ROOT_INO, inode, "lost+found"));
    for (unsigned bytes = kind_.block_bytes; bytes < kLostAndFoundBytes; bytes += kind_.block_bytes) {
      check(ext2fs_expand_dir(fs_.get(), inode));
    }
    set_attributes(inode, entry);
  }

  void add_journal() {
    // mke2fs gives none to the smallest either
    if (ext2fs_default_journal_size(ext2fs_blocks_count(fs_->super)) < 0) return;
    ext2fs_journal_params size{};
    check(ext2fs_get_journal_params(&size, fs_.get()));
    fs_->super->s_feature_compat |= EXT3_FEATURE_COMPAT_HAS_JOURNAL;
    check(ext2fs_add_journal_inode3(fs_.get(), &size, ~0ULL, EXT2_MKJOURNAL_NO_MNT_CHECK | EXT2_MKJOURNAL_LAZYINIT));
  }

  ext2_ino_t new_inode(ext2_ino_t parent, const TreeEntry &entry) const {
    ext2_ino_t inode = 0;
    check(ext2fs_new_inode(fs_.get(), parent, mode_bits_of(entry.type), nullptr, &inode));
    return inode;
  }

  /// Runs what puts a name into `directory`, which may have to grow for it.
  template <class Link>
  void linked(ext2_ino_t directory, const Link &link) {
    errcode_t status = link();
    if (status == EXT2_ET_DIR_NO_SPACE) {
      check(ext2fs_expand_dir(fs_.get(), directory));
      status = link();
    }
    check(status);
  }

  /// Writes a new inode that is a file, a device or a FIFO.
  void add_inode(ext2_ino_t number, const TreeEntry &entry) {
    ext2fs_inode_alloc_stats2(fs_.get(), number, +1, 0);
    ext2_inode_large inode{};
    inode.i_mode = static_cast<std::uint16_t>(mode_bits_of(entry.type) | entry.mode);
    inode.i_links_count = 1;
    if (entry.type == EntryType::file) {
      check(ext2fs_inode_size_set(fs_.get(), ext2fs_inode(&inode), static_cast<ext2_off64_t>(entry.size_bytes)));
    } else if (entry.type != EntryType::fifo) {
      set_device(inode, entry.device_major, entry.device_minor);
    }
    check(ext2fs_write_new_inode(fs_.get(), number, ext2fs_inode(&inode)));
    if (entry.type != EntryType::file || !is_ext4_) return;
    ext2_extent_handle_t extents = nullptr;  // opening writes the header of an empty extent tree
    ext2_inode plain{};
    check(ext2fs_read_inode(fs_.get(), number, &plain));
    plain.i_flags |= EXT4_EXTENTS_FL;
    check(ext2fs_extent_open2(fs_.get(), number, &plain, &extents));
    ext2fs_extent_free(extents);
    check(ext2fs_write_inode(fs_.get(), number, &plain));
  }

  void add_hard_link(ext2_ino_t parent, const std::string &name, const TreeEntry &entry) {
    ext2_ino_t number = inodes_.at(entry.link_target);
    ext2_inode inode{};
    check(ext2fs_read_inode(fs_.get(), number, &inode));
    int type = listed_type_of(inode.i_mode);
    linked(parent, [&] { return ext2fs_link(fs_.get(), parent, name.c_str(), number, type); });
    ++inode.i_links_count;
    check(ext2fs_write_inode(fs_.get(), number, &inode));
  }

  /// Mode, owner, times and extended attributes of an inode that has its name.
  void set_attributes(ext2_ino_t number, const TreeEntry &entry) {
    ext2_inode_large inode{};
    int size = static_cast<int>(std::min<std::size_t>(kind_.inode_bytes, sizeof(inode)));
    check(ext2fs_read_inode_full(fs_.get(), number, ext2fs_inode(&inode), size));
    inode.i_mode = static_cast<std::uint16_t>(mode_bits_of(entry.type) | entry.mode);
    inode.i_uid = static_cast<std::uint16_t>(entry.uid & 0xffff);
    inode.osd2.linux2.l_i_uid_high = static_cast<std::uint16_t>(entry.uid >> 16);
    inode.i_gid = static_cast<std::uint16_t>(entry.gid & 0xffff);
    inode.osd2.linux2.l_i_gid_high = static_cast<std::uint16_t>(entry.gid >> 16);
    InodeTime time = inode_time(entry.mtime_seconds, is_ext4_);
    inode.i_mtime = inode.i_atime = inode.i_ctime = time.seconds;
    if (is_ext4_) {
      inode.i_crtime = time.seconds;
      inode.i_mtime_extra = inode.i_atime_extra = inode.i_ctime_extra = inode.i_crtime_extra = time.extra;
    }
    check(ext2fs_write_inode_full(fs_.get(), number, ext2fs_inode(&inode), size));
    if (!entry.attributes.empty()) add_extended_attributes(number, entry);
  }

  void add_extended_attributes(ext2_ino_t number, const TreeEntry &entry) {
    if (!is_ext4_) {
      warnings_.push_back(
          fmt::format("left out of {}: the extended attributes of '{}', which an ext2 image does not have",
                      file_.subject(), shown(entry.path)));
      return;
    }
    ext2_xattr_handle *handle = nullptr;
    check(ext2fs_xattrs_open(fs_.get(), number, &handle));
    errcode_t status = ext2fs_xattrs_read(handle);
    for (const base::ExtendedAttribute &attribute : entry.attributes) {
      if (status != 0) break;
      status = ext2fs_xattr_set(handle, attribute.name.c_str(), attribute.value.data(), attribute.value.size());
    }
    ext2fs_xattrs_close(&handle);
    check(status);
  }

  /// Allocates the whole file at once, so that it lies in one piece, and leaves it open for add_content.
  void begin_content(ext2_ino_t number, std::uint64_t size) {
    ext2_inode inode{};
    check(ext2fs_read_inode(fs_.get(), number, &inode));
    if (is_ext4_) {
      std::uint64_t blocks = (size + kind_.block_bytes - 1) / kind_.block_bytes;
      check(ext2fs_fallocate(fs_.get(), EXT2_FALLOCATE_FORCE_INIT | EXT2_FALLOCATE_INIT_BEYOND_EOF, number, &inode,
                             ~0ULL, 0, blocks));
      check(ext2fs_read_inode(fs_.get(), number, &inode));
    }
    check(ext2fs_file_open2(fs_.get(), number, &inode, EXT2_FILE_WRITE, &content_));
    content_left_ = size;
  }

  static constexpr std::uint64_t kLeastBlocks = 64;

  ImageFile file_;
  const Kind kind_;
  const bool is_ext4_;
  const std::uint32_t epoch_;
  const std::string uuid_;
  FileSystem fs_;
  std::unordered_map<std::string, ext2_ino_t> inodes_;  ///< of every entry, directories with their closing slash
  ext2_file_t content_ = nullptr;
  std::uint64_t content_left_ = 0;
  std::vector<std::string> warnings_;
};

ExtImage::ExtImage(const ImageSink &output, const TreeMeasure &measure, std::int64_t epoch_seconds)
    : writer_(std::make_unique<Writer>(output, measure, epoch_seconds)) {}
ExtImage::~ExtImage() = default;

void ExtImage::add(const TreeEntry &entry) { writer_->add(entry); }
void ExtImage::add_content(std::string_view bytes) { writer_->add_content(bytes); }
void ExtImage::finish() { writer_->finish(); }
std::vector<std::string> ExtImage::warnings() const { return writer_->warnings(); }

}  // namespace debroot::pack
