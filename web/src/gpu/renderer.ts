/** Draws a baked avatar as the native renderer does (docs/rasteriser.md): field, posing, projection, blending. */
import type { BakedAvatar } from "../bake/avatar";
import type { Pose } from "../maths/pose";
import { matrix } from "../maths/rotation";
import { padded, program, texture } from "./context";
import { DepthOrder } from "./depth_order";
import {
  COPY_FRAGMENT, NO_FRAGMENTS, poseShader, SCREEN_VERTEX, SPLAT_FRAGMENT, SPLAT_VERTEX, TEXTURE_WIDTH,
} from "./shaders";

const CAPTURED = ["place", "shape", "colour"];
const BYTES_PER_SPLAT = 4 * 4 * CAPTURED.length;

export class Renderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly order: DepthOrder;
  private readonly weights: Float32Array;
  private readonly programs: { readonly pose: WebGLProgram; readonly splat: WebGLProgram; readonly copy: WebGLProgram };
  private readonly textures: { readonly gaussians: WebGLTexture; readonly bases: WebGLTexture; readonly plate: WebGLTexture; readonly canvas: WebGLTexture };
  private readonly buffers: { readonly index: WebGLBuffer; readonly splats: WebGLBuffer };
  private readonly arrays: { readonly pose: WebGLVertexArrayObject; readonly splat: WebGLVertexArrayObject; readonly none: WebGLVertexArrayObject };
  private readonly framebuffer: WebGLFramebuffer;
  private readonly feedback: WebGLTransformFeedback;
  private readonly uniforms = new Map<string, WebGLUniformLocation | null>();

  /** Throws where the browser has no WebGL 2. */
  constructor(canvas: HTMLCanvasElement, private readonly avatar: BakedAvatar) {
    // The picture is kept for recordings, which look at it when they like.
    const options: WebGLContextAttributes = { alpha: false, antialias: false, depth: false, stencil: false, preserveDrawingBuffer: true };
    const gl = canvas.getContext("webgl2", options);
    if (!gl) throw new Error("this browser has no WebGL 2");
    this.gl = gl;
    const { width, height } = avatar.page.camera;
    canvas.width = width;
    canvas.height = height;
    this.order = new DepthOrder(avatar);
    this.weights = new Float32Array(9 * avatar.page.n_bases);
    this.programs = {
      pose: program(gl, poseShader(avatar.page.n_bases), NO_FRAGMENTS, CAPTURED),
      splat: program(gl, SPLAT_VERTEX, SPLAT_FRAGMENT),
      copy: program(gl, SCREEN_VERTEX, COPY_FRAGMENT),
    };
    this.textures = { gaussians: this.gaussians(), bases: this.bases(), plate: this.plate(), canvas: this.target() };
    this.framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.textures.canvas, 0);
    this.buffers = { index: gl.createBuffer(), splats: gl.createBuffer() };
    this.arrays = { pose: this.poseInput(), splat: this.splatInput(), none: gl.createVertexArray() };
    this.feedback = gl.createTransformFeedback();
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  }

  draw(pose: Pose): void {
    const { gl } = this;
    const { width, height } = this.avatar.page.camera;
    const order = this.order.farthestFirst(pose);
    this.pose(pose, order);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.viewport(0, 0, width, height);
    this.copy(this.textures.plate, true);
    this.splats(order.length);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    this.copy(this.textures.canvas, false);
  }

  /** Frees what the graphics card holds. */
  close(): void {
    const { gl } = this;
    Object.values(this.textures).forEach((made) => gl.deleteTexture(made));
    Object.values(this.buffers).forEach((made) => gl.deleteBuffer(made));
    Object.values(this.programs).forEach((made) => gl.deleteProgram(made));
    Object.values(this.arrays).forEach((made) => gl.deleteVertexArray(made));
    gl.deleteFramebuffer(this.framebuffer);
    gl.deleteTransformFeedback(this.feedback);
  }

  private pose(pose: Pose, order: Uint32Array): void {
    const { gl, avatar, programs } = this;
    const { focal_px, cx, cy, width, height } = avatar.page.camera;
    this.weights.forEach((_, i) => {
      this.weights[i] = pose.coefficients[Math.floor(i / 9)]! * avatar.basesScale[i]!;
    });
    const at = (name: string) => this.uniform(programs.pose, "pose", name);
    gl.useProgram(programs.pose);
    gl.uniform3fv(at("weights"), this.weights);
    gl.uniform1i(at("nMoved"), avatar.page.n_moved);
    for (const [name, body] of [["head", pose.head], ["torso", pose.torso]] as const) {
      gl.uniformMatrix3fv(at(`R_world_${name}`), true, matrix(body.wxyz));
      gl.uniform3f(at(`${name}_xyz`), ...body.xyz);
      gl.uniform4f(at(`${name}_wxyz`), ...body.wxyz);
    }
    gl.uniform1f(at("focal"), focal_px);
    gl.uniform2f(at("principal"), cx, cy);
    gl.uniform2f(at("size"), width, height);
    this.bind(0, gl.TEXTURE_2D, this.textures.gaussians, at("gaussians"));
    this.bind(1, gl.TEXTURE_2D_ARRAY, this.textures.bases, at("bases"));
    gl.bindVertexArray(this.arrays.pose);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.index);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, order);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, this.feedback);
    gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, 0, this.buffers.splats);
    gl.enable(gl.RASTERIZER_DISCARD);
    gl.beginTransformFeedback(gl.POINTS);
    gl.drawArrays(gl.POINTS, 0, order.length);
    gl.endTransformFeedback();
    gl.disable(gl.RASTERIZER_DISCARD);
    gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, 0, null);
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, null);
  }

  private splats(count: number): void {
    const { gl, programs } = this;
    const { width, height } = this.avatar.page.camera;
    gl.useProgram(programs.splat);
    gl.uniform2f(this.uniform(programs.splat, "splat", "size"), width, height);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindVertexArray(this.arrays.splat);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
    gl.disable(gl.BLEND);
  }

  private copy(source: WebGLTexture, flip: boolean): void {
    const { gl, programs } = this;
    gl.useProgram(programs.copy);
    this.bind(0, gl.TEXTURE_2D, source, this.uniform(programs.copy, "copy", "picture"));
    gl.uniform1i(this.uniform(programs.copy, "copy", "flip"), flip ? 1 : 0);
    gl.bindVertexArray(this.arrays.none);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private bind(unit: number, target: number, source: WebGLTexture, location: WebGLUniformLocation | null): void {
    this.gl.activeTexture(this.gl.TEXTURE0 + unit);
    this.gl.bindTexture(target, source);
    this.gl.uniform1i(location, unit);
  }

  private uniform(owner: WebGLProgram, key: string, name: string): WebGLUniformLocation | null {
    const id = `${key}.${name}`;
    if (!this.uniforms.has(id)) this.uniforms.set(id, this.gl.getUniformLocation(owner, name));
    return this.uniforms.get(id) ?? null;
  }

  private gaussians(): WebGLTexture {
    const { gl, avatar } = this;
    const made = texture(gl, gl.TEXTURE_2D);
    const rows = Math.ceil((4 * avatar.page.n_gaussians) / TEXTURE_WIDTH);
    const texels = padded(avatar.gaussians, 4 * TEXTURE_WIDTH * rows);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, TEXTURE_WIDTH, rows, 0, gl.RGBA, gl.FLOAT, texels);
    return made;
  }

  private bases(): WebGLTexture {
    const { gl, avatar } = this;
    const made = texture(gl, gl.TEXTURE_2D_ARRAY);
    const { n_moved, n_bases } = avatar.page;
    const rows = Math.ceil(n_moved / TEXTURE_WIDTH);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGB16F, TEXTURE_WIDTH, rows, 3 * n_bases);
    for (let layer = 0; layer < 3 * n_bases; layer++) {
      const triples = avatar.bases.subarray(3 * n_moved * layer, 3 * n_moved * (layer + 1));
      const texels = padded(triples, 3 * TEXTURE_WIDTH * rows);
      gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, layer, TEXTURE_WIDTH, rows, 1, gl.RGB, gl.HALF_FLOAT, texels);
    }
    return made;
  }

  private plate(): WebGLTexture {
    const { gl, avatar } = this;
    const made = texture(gl, gl.TEXTURE_2D);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, avatar.plate);
    return made;
  }

  /** Half precision where it can be drawn to: 8 bits would round after every Gaussian. */
  private target(): WebGLTexture {
    const { gl } = this;
    const { width, height } = this.avatar.page.camera;
    const half = gl.getExtension("EXT_color_buffer_float") ?? gl.getExtension("EXT_color_buffer_half_float");
    const made = texture(gl, gl.TEXTURE_2D);
    gl.texStorage2D(gl.TEXTURE_2D, 1, half ? gl.RGBA16F : gl.RGBA8, width, height);
    return made;
  }

  private poseInput(): WebGLVertexArrayObject {
    const { gl } = this;
    const made = gl.createVertexArray();
    gl.bindVertexArray(made);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.index);
    gl.bufferData(gl.ARRAY_BUFFER, 4 * this.avatar.page.n_gaussians, gl.DYNAMIC_DRAW);
    const index = gl.getAttribLocation(this.programs.pose, "index");
    gl.enableVertexAttribArray(index);
    gl.vertexAttribIPointer(index, 1, gl.UNSIGNED_INT, 0, 0);
    gl.bindVertexArray(null);
    return made;
  }

  private splatInput(): WebGLVertexArrayObject {
    const { gl } = this;
    const made = gl.createVertexArray();
    gl.bindVertexArray(made);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.splats);
    gl.bufferData(gl.ARRAY_BUFFER, BYTES_PER_SPLAT * this.avatar.page.n_gaussians, gl.DYNAMIC_COPY);
    CAPTURED.forEach((name, i) => {
      const at = gl.getAttribLocation(this.programs.splat, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 4, gl.FLOAT, false, BYTES_PER_SPLAT, 16 * i);
      gl.vertexAttribDivisor(at, 1);
    });
    gl.bindVertexArray(null);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
    return made;
  }
}
