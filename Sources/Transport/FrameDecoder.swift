import NIOCore

/// Splits a connection's bytes into frames: a 4-byte big-endian length, then the payload.
///
/// An empty frame is a keepalive. The length is judged before anything of the payload is kept, so a peer makes this
/// side hold at most one frame of `bytesMax` and what the socket delivered with it.
struct FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = [UInt8]

    /// For the first frame, the hello, from a side that is not yet known.
    let firstBytesMax: Int
    let bytesMax: Int
    private var hasSeenFirst = false

    init(firstBytesMax: Int, bytesMax: Int) {
        self.firstBytesMax = firstBytesMax
        self.bytesMax = bytesMax
    }

    static let lengthBytes = 4

    mutating func decode(
        context: ChannelHandlerContext, buffer: inout ByteBuffer
    ) throws -> DecodingState {
        guard
            let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self).map(Int.init)
        else { return .needMoreData }
        guard length <= (hasSeenFirst ? bytesMax : firstBytesMax) else {
            throw NetworkProblem.frameTooLarge
        }
        guard buffer.readableBytes >= FrameDecoder.lengthBytes + length else {
            return .needMoreData
        }
        buffer.moveReaderIndex(forwardBy: FrameDecoder.lengthBytes)
        guard let payload = buffer.readBytes(length: length) else { return .needMoreData }
        hasSeenFirst = true
        context.fireChannelRead(Self.wrapInboundOut(payload))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }

    /// A payload with its length in front, ready to be shared by all peers that it is sent to.
    static func frame(_ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: lengthBytes + payload.count)
        buffer.writeInteger(UInt32(payload.count))
        buffer.writeBytes(payload)
        return buffer
    }
}
