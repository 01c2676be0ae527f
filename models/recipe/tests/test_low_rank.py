import torch
from torch import nn

from low_rank import adapt, merged


def test_a_layer_learns_a_product_and_is_saved_as_a_matrix():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4)).double()
    plain, x = {name: value.clone() for name, value in model.state_dict().items()}, torch.randn(3, 6).double()
    before = model(x)
    adapt(model, rank=2)
    model.double()
    assert torch.allclose(model(x), before)
    learn = [parameter for name, parameter in model.named_parameters() if ".0.up" in name or ".0.down" in name]
    optimizer = torch.optim.SGD(learn, lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    weights = merged(model.state_dict())
    assert weights.keys() == plain.keys()
    assert torch.linalg.matrix_rank(weights["0.weight"] - plain["0.weight"], atol=1e-9) == 2
    other = nn.Sequential(nn.Linear(6, 4), nn.LayerNorm(4)).double()
    other.load_state_dict(weights)
    assert torch.allclose(other(x), model(x), atol=1e-6)
