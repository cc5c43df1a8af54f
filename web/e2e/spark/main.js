// Opens gaussians.ply as spark reads it and draws it as our camera sees it, on black: another program's view of our file.
import { SparkRenderer, SplatMesh } from "@sparkjsdev/spark";
import { PerspectiveCamera, Scene, WebGLRenderer } from "three";

const { focal_px, size, head_xyz } = await (await fetch("camera.json")).json();
const canvas = document.querySelector("canvas");
const renderer = new WebGLRenderer({ canvas, antialias: false, preserveDrawingBuffer: true });
renderer.setSize(size, size, false);
const scene = new Scene();
// Our blur belongs to the shape and takes nothing from the opacity; we draw down to an alpha of 1/255.
scene.add(new SparkRenderer({ renderer, preBlurAmount: 0.3, blurAmount: 0, maxStdDev: Math.sqrt(2 * Math.log(255)), minAlpha: 1 / 255 }));
const camera = new PerspectiveCamera((360 / Math.PI) * Math.atan(size / 2 / focal_px), 1, 0.01, 1000);
const head = new SplatMesh({ url: "gaussians.ply" });
await head.initialized;
// Ours: y down, z away. Three's: y up, z towards the viewer.
head.quaternion.set(1, 0, 0, 0);
head.position.set(head_xyz[0], -head_xyz[1], -head_xyz[2]);
scene.add(head);
let frames = 0;
renderer.setAnimationLoop(() => {
  renderer.render(scene, camera);
  frames++;
  if (frames > 3) window.spark = { count: head.packedSplats?.numSplats ?? head.numSplats, frames };
});
