"""Import before transformers. A torchvision that was built for CUDA stops with "operator torchvision::nms does not exist" beside a CPU
torch, and transformers imports torchvision wherever it finds one; declaring the two operators is enough. Threads: one, so that runs repeat."""
import importlib.util
import pathlib

import torch

torch.set_num_threads(1)


def _torchvision_for_cuda() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if not spec or not spec.origin:
        return False
    version = pathlib.Path(spec.origin).parent / "version.py"
    return version.is_file() and "+cu" in version.read_text() and torch.version.cuda is None


if _torchvision_for_cuda():
    library = torch.library.Library("torchvision", "DEF")  # keeps the operators alive
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
