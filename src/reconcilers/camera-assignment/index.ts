export { type CameraReconcilerOptions, createCameraReconciler } from './reconciler.js';
export { camerasOfRole, reviewCamerasOf, watchCameras } from './triggers.js';
