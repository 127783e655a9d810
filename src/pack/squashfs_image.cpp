#include "pack/squashfs_image.hpp"

#include <fmt/format.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <new>
#include <unordered_map>
#include <utility>

#include "pack/image_file.hpp"

namespace debroot::pack {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
/// Blocks that wait for each thread; it never changes the bytes.
constexpr std::size_t kBacklogPerThread = 4;
/// A file system's size is a whole number of these, so that a loop device shows all of it.
constexpr std::uint64_t kDeviceBlockBytes = SQFS_DEVBLK_SIZE;
constexpr std::uint32_t kNoAttributes = 0xffffffff;

template <class Object>
struct ObjectDeleter {
  void operator()(Object *object) const noexcept { sqfs_destroy(object); }
};
template <class Object>
using Owned = std::unique_ptr<Object, ObjectDeleter<Object>>;

/// libsquashfs' view of an ImageFile.
struct SquashfsFile {
  sqfs_file_t base{};  // first: the library knows only this part
  ImageFile *file = nullptr;

  static ImageFile &of(sqfs_file_t *base) { return *reinterpret_cast<SquashfsFile *>(base)->file; }

  explicit SquashfsFile(ImageFile &image) : file(&image) {
    base.base.destroy = [](sqfs_object_t *) {};
    base.read_at = [](sqfs_file_t *self, sqfs_u64 offset, void *bytes, std::size_t size) -> int {
      return of(self).read(offset, bytes, size) ? 0 : SQFS_ERROR_IO;
    };
    base.write_at = [](sqfs_file_t *self, sqfs_u64 offset, const void *bytes, std::size_t size) -> int {
      return of(self).write(offset, bytes, size) ? 0 : SQFS_ERROR_IO;
    };
    base.get_size = [](const sqfs_file_t *self) -> sqfs_u64 {
      return reinterpret_cast<const SquashfsFile *>(self)->file->size();
    };
    base.truncate = [](sqfs_file_t *self, sqfs_u64 size) -> int { return of(self).resize(size) ? 0 : SQFS_ERROR_IO; };
  }
};

std::string_view cause_of(int status) {
  switch (status) {
    case SQFS_ERROR_ALLOC:
      return "not enough memory";
    case SQFS_ERROR_OVERFLOW:
      return "the tree is too large for a squashfs";
    case SQFS_ERROR_COMPRESSOR:
      return "the compressor fails";
    case SQFS_ERROR_UNSUPPORTED:
      return "this libsquashfs cannot do it";
    default:
      return "libsquashfs fails";
  }
}

/// A file, directory or link of the image; hard links to one have none of their own.
struct Node {
  sqfs_inode_generic_t *inode = nullptr;  ///< the block processor moves it while a file grows
  mode_t mode = 0;                        ///< with the type
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint32_t mtime = 0;
  std::uint32_t attributes = kNoAttributes;
  std::uint32_t names = 1;
  std::uint32_t number = 0;
  std::uint64_t reference = 0;
  bool is_written = false;
  std::map<std::string, Node *> children;  ///< of a directory

  Node() = default;
  Node(const Node &) = delete;
  Node &operator=(const Node &) = delete;
  ~Node() { sqfs_free(inode); }
};

std::uint32_t unix_time(std::int64_t seconds) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
}

mode_t mode_of(const TreeEntry &entry) {
  switch (entry.type) {
    case EntryType::directory:
      return S_IFDIR | entry.mode;
    case EntryType::symbolic_link:
      return S_IFLNK | entry.mode;
    case EntryType::character_device:
      return S_IFCHR | entry.mode;
    case EntryType::block_device:
      return S_IFBLK | entry.mode;
    case EntryType::fifo:
      return S_IFIFO | entry.mode;
    case EntryType::file:
    case EntryType::hard_link:
      break;
  }
  return S_IFREG | entry.mode;
}

/// As the kernel encodes it (linux/kdev_t.h, new_encode_dev).
std::uint32_t device_number(std::uint32_t major, std::uint32_t minor) {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xffU) << 12);
}

/// An inode with room for `extra`; the block processor makes those of files and the directory writer those of
/// directories.
sqfs_inode_generic_t *make_inode(SQFS_INODE_TYPE type, std::string_view extra = {}) {
  void *memory = std::calloc(1, sizeof(sqfs_inode_generic_t) + extra.size() + 1);
  if (memory == nullptr) throw std::bad_alloc();
  auto *inode = static_cast<sqfs_inode_generic_t *>(memory);
  inode->base.type = static_cast<sqfs_u16>(type);
  std::copy(extra.begin(), extra.end(), reinterpret_cast<char *>(inode->extra));
  return inode;
}

sqfs_inode_generic_t *make_special_inode(const TreeEntry &entry) {
  sqfs_inode_generic_t *inode = nullptr;
  if (entry.type == EntryType::symbolic_link) {
    inode = make_inode(SQFS_INODE_SLINK, entry.link_target);
    inode->data.slink.target_size = static_cast<sqfs_u32>(entry.link_target.size());
  } else if (entry.type == EntryType::fifo) {
    inode = make_inode(SQFS_INODE_FIFO);
  } else {
    inode = make_inode(entry.type == EntryType::block_device ? SQFS_INODE_BDEV : SQFS_INODE_CDEV);
    inode->data.dev.devno = device_number(entry.device_major, entry.device_minor);
  }
  return inode;
}

/// Puts the number of names where this type of inode has it; a file has one only in its extended form.
int set_link_count(sqfs_inode_generic_t *inode, std::uint32_t names) {
  switch (inode->base.type) {
    case SQFS_INODE_FILE:
    case SQFS_INODE_EXT_FILE:
      if (names > 1) {
        if (int status = sqfs_inode_make_extended(inode); status != 0) return status;
        inode->data.file_ext.nlink = names;
      }
      return 0;
    case SQFS_INODE_SLINK:
      inode->data.slink.nlink = names;
      return 0;
    case SQFS_INODE_BDEV:
    case SQFS_INODE_CDEV:
      inode->data.dev.nlink = names;
      return 0;
    case SQFS_INODE_FIFO:
      inode->data.ipc.nlink = names;
      return 0;
    default:
      return 0;  // directories have theirs already
  }
}

/// "./usr/bin/x" and "./usr/bin/x/" in "./usr/bin" and "x"; of the root an empty name.
std::pair<std::string, std::string> split_path(std::string path) {
  if (path.ends_with('/')) path.pop_back();
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

class SquashfsImage::Writer {
 public:
  Writer(const ImageSink &output, std::int64_t epoch_seconds, unsigned threads) : file_(output), door_(file_) {
    check(sqfs_super_init(&super_, kBlockBytes, unix_time(epoch_seconds), SQFS_COMP_XZ));
    compressor_ = make_compressor(0);
    decompressor_ = make_compressor(SQFS_COMP_FLAG_UNCOMPRESS);
    check(sqfs_super_write(&super_, &door_.base));
    if (int bytes = compressor_->write_options(compressor_.get(), &door_.base); bytes < 0) {
      check(bytes);
    } else if (bytes > 0) {
      super_.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
    }
    blocks_ = owned(sqfs_block_writer_create(&door_.base, SQFS_DEVBLK_SIZE, 0));
    fragments_ = owned(sqfs_frag_table_create(0));
    ids_ = owned(sqfs_id_table_create(0));
    attributes_ = owned(sqfs_xattr_writer_create(0));
    start_processor(std::max(threads, 1U));
    node_at(".").mode = S_IFDIR | 0755;
  }

  void add(const TreeEntry &entry) {
    auto [parent_path, name] = split_path(entry.path);
    if (entry.type == EntryType::hard_link) {
      Node &target = *by_path_.at(entry.link_target);
      ++target.names;
      node_at(parent_path).children.emplace(std::move(name), &target);
      return;
    }
    std::string path = name.empty() ? parent_path : fmt::format("{}/{}", parent_path, name);
    Node &node = node_at(path);
    if (!name.empty()) node_at(parent_path).children.emplace(std::move(name), &node);
    node.mode = mode_of(entry);
    node.uid = entry.uid;
    node.gid = entry.gid;
    node.mtime = unix_time(entry.mtime_seconds);
    node.attributes = add_attributes(entry);
    if (entry.type == EntryType::file) {
      begin_file(node, entry.size_bytes);
    } else if (entry.type != EntryType::directory) {
      node.inode = make_special_inode(entry);
    }
  }

  void add_content(std::string_view bytes) {
    check(sqfs_block_processor_append(processor_.get(), bytes.data(), bytes.size()));
    content_left_ -= bytes.size();
    if (content_left_ == 0) check(sqfs_block_processor_end_file(processor_.get()));
  }

  void finish() {
    check(sqfs_block_processor_finish(processor_.get()));
    write_tree();
    check(sqfs_frag_table_write(fragments_.get(), &door_.base, &super_, compressor_.get()));
    Node &root = node_at(".");
    check(sqfs_dir_writer_write_export_table(directories_.get(), &door_.base, compressor_.get(), root.number,
                                             root.reference, &super_));
    check(sqfs_id_table_write(ids_.get(), &door_.base, &super_, compressor_.get()));
    check(sqfs_xattr_writer_flush(attributes_.get(), &door_.base, &super_, compressor_.get()));
    super_.bytes_used = file_.size();
    check(sqfs_super_write(&super_, &door_.base));
    std::uint64_t whole = (file_.size() + kDeviceBlockBytes - 1) / kDeviceBlockBytes * kDeviceBlockBytes;
    if (!file_.resize(whole)) file_.throw_failure({});
  }

  [[nodiscard]] const std::vector<std::string> &warnings() const { return warnings_; }

 private:
  void check(int status) const {
    if (status != 0) file_.throw_failure(std::string(cause_of(status)));
  }
  template <class Object>
  Owned<Object> owned(Object *object) const {
    if (object == nullptr) check(SQFS_ERROR_ALLOC);
    return Owned<Object>(object);
  }

  Owned<sqfs_compressor_t> make_compressor(unsigned flags) const {
    sqfs_compressor_config_t config{};
    check(sqfs_compressor_config_init(&config, SQFS_COMP_XZ, kBlockBytes, static_cast<sqfs_u16>(flags)));
    sqfs_compressor_t *made = nullptr;
    check(sqfs_compressor_create(&config, &made));
    return Owned<sqfs_compressor_t>(made);
  }

  void start_processor(unsigned threads) {
    sqfs_block_processor_desc_t settings{};
    settings.size = sizeof(settings);
    settings.max_block_size = kBlockBytes;
    settings.num_workers = threads;
    settings.max_backlog = static_cast<sqfs_u32>(threads * kBacklogPerThread);
    settings.cmp = compressor_.get();
    settings.wr = blocks_.get();
    settings.tbl = fragments_.get();
    settings.file = &door_.base;
    settings.uncmp = decompressor_.get();
    sqfs_block_processor_t *made = nullptr;
    check(sqfs_block_processor_create_ex(&settings, &made));
    processor_.reset(made);
  }

  /// The node at "./usr/bin"; made if there is none yet.
  Node &node_at(const std::string &path) {
    auto [found, is_new] = by_path_.try_emplace(path, nullptr);
    if (is_new) {
      nodes_.push_back(std::make_unique<Node>());
      found->second = nodes_.back().get();
    }
    return *found->second;
  }

  void begin_file(Node &node, std::uint64_t size) {
    check(sqfs_block_processor_begin_file(processor_.get(), &node.inode, nullptr, 0));
    content_left_ = size;
    if (size == 0) check(sqfs_block_processor_end_file(processor_.get()));
  }

  std::uint32_t add_attributes(const TreeEntry &entry) {
    bool has_some = false;
    bool has_acl = false;
    for (const base::ExtendedAttribute &attribute : entry.attributes) {
      if (attribute.name.starts_with("system.")) {
        has_acl = true;
        continue;
      }
      if (!has_some) check(sqfs_xattr_writer_begin(attributes_.get(), 0));
      has_some = true;
      check(sqfs_xattr_writer_add(attributes_.get(), attribute.name.c_str(), attribute.value.data(),
                                  attribute.value.size()));
    }
    if (has_acl) note_left_out(entry.path);
    std::uint32_t index = kNoAttributes;
    if (has_some) check(sqfs_xattr_writer_end(attributes_.get(), &index));
    return index;
  }

  void note_left_out(const std::string &path) {
    warnings_.push_back(
        fmt::format("left out of {}: the ACL of '{}', which a squashfs cannot hold", file_.subject(), shown(path)));
  }

  void write_tree() {
    inodes_ = owned(sqfs_meta_writer_create(&door_.base, compressor_.get(), 0));
    listings_ = owned(sqfs_meta_writer_create(&door_.base, compressor_.get(), SQFS_META_WRITER_KEEP_IN_MEMORY));
    directories_ = owned(sqfs_dir_writer_create(listings_.get(), SQFS_DIR_WRITER_CREATE_EXPORT_TABLE));
    Node &root = node_at(".");
    root.number = next_number_++;
    number_children(root);
    super_.inode_table_start = file_.size();
    write_listing(root, root.number);
    write_inode(root);
    check(sqfs_meta_writer_flush(inodes_.get()));
    check(sqfs_meta_writer_flush(listings_.get()));
    super_.root_inode_ref = root.reference;
    super_.inode_count = next_number_ - 1;
    super_.directory_table_start = file_.size();
    check(sqfs_meta_write_write_to_file(listings_.get()));
  }

  /// What is in one directory gets numbers in a row: a listing stores differences.
  void number_children(Node &directory) {
    for (auto &[name, child] : directory.children) {
      if (child->number == 0) child->number = next_number_++;
    }
    for (auto &[name, child] : directory.children) number_children(*child);
  }

  /// Writes all that is below `directory` and then what is in it; its own inode is its parent's business, so that the
  /// inodes of a listing lie together.
  void write_listing(Node &directory, std::uint32_t parent_number) {
    for (auto &[name, child] : directory.children) {
      if (S_ISDIR(child->mode)) write_listing(*child, directory.number);
    }
    for (auto &[name, child] : directory.children) write_inode(*child);
    check(sqfs_dir_writer_begin(directories_.get(), 0));
    for (auto &[name, child] : directory.children) {
      check(sqfs_dir_writer_add_entry(directories_.get(), name.c_str(), child->number, child->reference,
                                      static_cast<sqfs_u16>(child->mode)));
    }
    check(sqfs_dir_writer_end(directories_.get()));
    directory.inode = sqfs_dir_writer_create_inode(directories_.get(), 0, directory.attributes, parent_number);
    if (directory.inode == nullptr) check(SQFS_ERROR_ALLOC);
    set_directory_links(directory);
  }

  /// A directory has the name in its parent, its own '.', and '..' in each directory below it.
  void set_directory_links(Node &directory) const {
    auto links =
        static_cast<std::uint32_t>(2 + std::count_if(directory.children.begin(), directory.children.end(),
                                                     [](const auto &child) { return S_ISDIR(child.second->mode); }));
    if (directory.inode->base.type == SQFS_INODE_EXT_DIR) {
      directory.inode->data.dir_ext.nlink = links;
    } else {
      directory.inode->data.dir.nlink = links;
    }
  }

  void write_inode(Node &node) {
    if (node.is_written) return;  // another name of it came first
    check(set_link_count(node.inode, node.names));
    if (node.attributes != kNoAttributes) check(sqfs_inode_set_xattr_index(node.inode, node.attributes));
    sqfs_inode_t &base = node.inode->base;
    base.mode = static_cast<sqfs_u16>(node.mode & 07777);
    base.mod_time = node.mtime;
    base.inode_number = node.number;
    check(sqfs_id_table_id_to_index(ids_.get(), node.uid, &base.uid_idx));
    check(sqfs_id_table_id_to_index(ids_.get(), node.gid, &base.gid_idx));
    sqfs_u64 block = 0;
    sqfs_u32 offset = 0;
    sqfs_meta_writer_get_position(inodes_.get(), &block, &offset);
    node.reference = (block << 16) | offset;
    check(sqfs_meta_writer_write_inode(inodes_.get(), node.inode));
    node.is_written = true;
  }

  ImageFile file_;
  SquashfsFile door_;
  sqfs_super_t super_{};
  std::vector<std::string> warnings_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unordered_map<std::string, Node *> by_path_;
  std::uint32_t next_number_ = 1;
  std::uint64_t content_left_ = 0;
  // each is destroyed before those above it, which it uses
  Owned<sqfs_compressor_t> compressor_;
  Owned<sqfs_compressor_t> decompressor_;
  Owned<sqfs_block_writer_t> blocks_;
  Owned<sqfs_frag_table_t> fragments_;
  Owned<sqfs_id_table_t> ids_;
  Owned<sqfs_xattr_writer_t> attributes_;
  Owned<sqfs_block_processor_t> processor_;
  Owned<sqfs_meta_writer_t> inodes_;
  Owned<sqfs_meta_writer_t> listings_;
  Owned<sqfs_dir_writer_t> directories_;
};

SquashfsImage::SquashfsImage(const ImageSink &output, std::int64_t epoch_seconds, unsigned threads)
    : writer_(std::make_unique<Writer>(output, epoch_seconds, threads)) {}
SquashfsImage::~SquashfsImage() = default;

void SquashfsImage::add(const TreeEntry &entry) { writer_->add(entry); }
void SquashfsImage::add_content(std::string_view bytes) { writer_->add_content(bytes); }
void SquashfsImage::finish() { writer_->finish(); }
std::vector<std::string> SquashfsImage::warnings() const { return writer_->warnings(); }

}  // namespace debroot::pack
