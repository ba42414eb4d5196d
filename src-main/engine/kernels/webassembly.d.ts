/**
 * The part of WebAssembly's JavaScript interface that the engine uses, for a program checked without the browser's types.
 * It declares nothing of its own: Node and browsers provide all of it.
 */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class CompileError extends Error {}
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Memory>>);
    readonly exports: Record<string, unknown>;
  }
}
