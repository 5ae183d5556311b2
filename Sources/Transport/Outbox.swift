import NIOCore
import Synchronization

/// In this order frames leave, and in the opposite order they are dropped.
public enum FramePriority: Int, Sendable, CaseIterable {
    case vote = 0
    case proposal = 1
    case bulk = 2
}

/// The frames that wait for one peer, bounded in bytes.
///
/// When it is full, the oldest bulk frames go first, then the oldest proposals, then the oldest votes: the replica
/// repeats what still matters, and a newer vote makes an older one pointless. Any thread may add to it.
package final class Outbox: Sendable {
    private struct Lane {
        var frames: CircularBuffer<ByteBuffer> = []
        var bytes = 0
    }

    private struct Contents {
        var lanes = [Lane](repeating: Lane(), count: FramePriority.allCases.count)
        var bytes = 0
        var droppedFrames: UInt64 = 0
        var sentFrames: UInt64 = 0
        var sentBytes: UInt64 = 0
        /// The connection that takes frames out; `nil` while there is none.
        var channel: (any Channel)?
        /// A wake-up is under way, so adding needs no other.
        var isWoken = false

        mutating func removeOldest(_ lane: Int) -> ByteBuffer? {
            guard let frame = lanes[lane].frames.popFirst() else { return nil }
            lanes[lane].bytes -= frame.readableBytes
            bytes -= frame.readableBytes
            return frame
        }
    }

    private let contents = Mutex(Contents())
    private let bytesMax: Int
    private let offlineBytesMax: Int

    /// The user event that makes the connection's handler take frames out.
    struct Wake: Sendable {}

    init(bytesMax: Int, offlineBytesMax: Int) {
        self.bytesMax = bytesMax
        self.offlineBytesMax = offlineBytesMax
    }

    func add(_ frame: ByteBuffer, _ priority: FramePriority) {
        contents.withLock { contents in
            let isConnected = contents.channel != nil
            guard isConnected || priority != .bulk else {
                contents.droppedFrames += 1
                return
            }
            contents.lanes[priority.rawValue].frames.append(frame)
            contents.lanes[priority.rawValue].bytes += frame.readableBytes
            contents.bytes += frame.readableBytes
            let limit = isConnected ? bytesMax : offlineBytesMax
            for lane in FramePriority.allCases.reversed() {
                while contents.bytes > limit, contents.removeOldest(lane.rawValue) != nil {
                    contents.droppedFrames += 1
                }
            }
            guard !contents.isWoken, let channel = contents.channel else { return }
            contents.isWoken = true
            // Its event loop does not end before the channel has been detached, which waits for this.
            channel.eventLoop.execute { channel.triggerUserOutboundEvent(Wake(), promise: nil) }
        }
    }

    /// The next frame by priority for the connection that is attached; nothing for any other. `nil` also rearms the
    /// wake-up.
    func next(on channel: any Channel) -> ByteBuffer? {
        contents.withLock { contents in
            guard let current = contents.channel, current === channel else { return nil }
            for lane in contents.lanes.indices {
                guard let frame = contents.removeOldest(lane) else { continue }
                contents.sentFrames += 1
                contents.sentBytes += UInt64(frame.readableBytes)
                return frame
            }
            contents.isWoken = false
            return nil
        }
    }

    /// A connection that cannot take more just now stays woken until it can.
    func attach(_ channel: any Channel) {
        contents.withLock {
            $0.channel = channel
            $0.isWoken = true
        }
        channel.triggerUserOutboundEvent(Wake(), promise: nil)
    }

    func detach(_ channel: any Channel) {
        contents.withLock { contents in
            guard let current = contents.channel, current === channel else { return }
            contents.channel = nil
            contents.isWoken = false
            while contents.removeOldest(FramePriority.bulk.rawValue) != nil {
                contents.droppedFrames += 1
            }
        }
    }

    struct Numbers: Sendable {
        var queuedBytes: Int
        var droppedFrames: UInt64
        var sentFrames: UInt64
        var sentBytes: UInt64
    }

    var numbers: Numbers {
        contents.withLock {
            Numbers(
                queuedBytes: $0.bytes, droppedFrames: $0.droppedFrames,
                sentFrames: $0.sentFrames, sentBytes: $0.sentBytes)
        }
    }
}
