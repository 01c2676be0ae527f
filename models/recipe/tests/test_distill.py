import pytest
import torch

from config import TrainConfig
from distill import Distillation
from fixtures import random_model
from teachers import RecipeTeacher, open_teacher


@pytest.fixture
def teacher(tmp_path) -> RecipeTeacher:
    model = random_model()
    path = tmp_path / "average.pt"
    torch.save({"config": {"model": model.config.as_dict()}, "weights": model.state_dict(), "step": 1}, path)
    return open_teacher(f"recipe:{path}")


@pytest.fixture
def clean() -> torch.Tensor:
    """Rows of two blocks of 16 encoder frames."""
    return 0.1 * torch.randn(2, 128 * 160 + 400, generator=torch.Generator().manual_seed(1))


def test_a_student_that_is_the_teacher_has_nothing_to_learn(teacher, clean):
    student = random_model()
    distillation = Distillation(teacher, student, TrainConfig(model=student.config, teacher_max_delay=0))
    frames = teacher.log_mel(clean)
    with torch.autocast("cpu", torch.bfloat16):
        log_probs = student(frames, 16, torch.zeros(2, 1)).tokens
    assert distillation(log_probs, clean).item() == pytest.approx(0, abs=1e-3)


def test_a_student_learns_from_the_teacher_alone(teacher, clean):
    student = random_model()
    torch.nn.init.normal_(student.head.weight, std=0.1)
    distillation = Distillation(teacher, student, TrainConfig(model=student.config, feature_weight=0.5))
    frames, losses = teacher.log_mel(clean), []
    optimizer = torch.optim.Adam([*student.parameters(), *distillation.parameters()], lr=3e-3)
    for _ in range(12):
        loss = distillation(student(frames, 8, torch.zeros(2, 1))[0], clean)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.grad is None for p in teacher.model.parameters())


def test_a_teacher_without_posteriors_is_refused(teacher):
    teacher.frame_rate = None
    with pytest.raises(ValueError, match="text alone"):
        Distillation(teacher, random_model(), TrainConfig())
