import Glibc

/// Why a file cannot be read or written, in both languages.
public struct SystemReason: Equatable, Sendable {
    public let english: String
    public let chinese: String

    public init(_ english: String, _ chinese: String) {
        self.english = english
        self.chinese = chinese
    }

    /// What the system says of its last call.
    public static var last: SystemReason { SystemReason(number: errno) }

    /// - Parameter number: as in `errno`.
    public init(number: Int32) {
        let english = String(cString: strerror(number))
        self.init(english, Self.chinese[number] ?? "系统错误 \(number)（\(english)）")
    }

    private static let chinese: [Int32: String] = [
        EACCES: "权限不足", EPERM: "不允许此操作", ENOENT: "没有该文件或文件夹", ENOTDIR: "路径中有一段不是文件夹",
        EISDIR: "这是文件夹，不是文件", EEXIST: "已有同名文件，请另选名称", ENOTEMPTY: "文件夹不为空", ENOSPC: "磁盘已满",
        EDQUOT: "已超出磁盘配额", EFBIG: "文件过大", EROFS: "文件系统为只读", EIO: "读写设备出错", ELOOP: "符号链接过多或不允许",
        ENAMETOOLONG: "名称过长", EMFILE: "打开的文件过多", ENFILE: "系统打开的文件过多", ENOMEM: "内存不足",
        EPIPE: "接收方已关闭",
        EBADF: "未打开", ENXIO: "没有该设备", ETXTBSY: "文件正在执行", EBUSY: "正被使用", EINVAL: "系统不接受此操作",
        EXDEV: "不在同一文件系统",
    ]
}
