/** Small helpers around WebGL 2. */

export function program(gl: WebGL2RenderingContext, vertex: string, fragment: string, captured: string[] = []): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
      throw new Error(`shader: ${gl.getShaderInfoLog(shader) ?? "unknown error"}`);
    }
  }
  if (captured.length) gl.transformFeedbackVaryings(made, captured, gl.INTERLEAVED_ATTRIBS);
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`program: ${gl.getProgramInfoLog(made) ?? "unknown error"}`);
  }
  return made;
}

/** A texture that is read texel by texel. */
export function texture(gl: WebGL2RenderingContext, target: number): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(target, made);
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return made;
}

/** Values filled up with zeros to whole rows of a texture. */
export function padded<T extends Float32Array | Uint16Array>(values: T, length: number): T {
  const made = new (values.constructor as new (n: number) => T)(length);
  made.set(values);
  return made;
}
